import { compareVersions, NEWEST, OLDEST, UNKNOWN_FROM } from "../deepspeed.js";
import { removeKey } from "../edits.js";
import { defineRule } from "../rule.js";

export default defineRule({
  code: "unknown-deepspeed",
  needs: "spec",
  check(subject, report) {
    const { deepspeed: version } = subject.spec.cluster;
    if (version === undefined || compareVersions(version, UNKNOWN_FROM) < 0) return;
    const fix = removeKey(subject, "cluster.deepspeed", false);
    report.at("cluster.deepspeed", { version, oldest: OLDEST, newest: NEWEST }, fix);
  },
});
