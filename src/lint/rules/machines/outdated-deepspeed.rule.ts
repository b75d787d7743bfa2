import { compareVersions, OLDEST, THREADS } from "../../deepspeed.js";
import { replaceValue } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "outdated-deepspeed",
  needs: "spec",
  check(subject, report) {
    const { deepspeed: version } = subject.spec.cluster;
    if (version === undefined || compareVersions(version, OLDEST) >= 0) return;
    const fix = replaceValue(subject, "cluster.deepspeed", JSON.stringify(OLDEST));
    report.at("cluster.deepspeed", { version, oldest: OLDEST, threads: THREADS }, fix);
  },
});
