import { replaceValue } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "idle-ranks",
  needs: "spec",
  check(subject, report) {
    const { parallel, cluster, schedule } = subject.spec;
    // Groups of a pool form anew for every batch, over all ranks.
    if (parallel.context === "auto" || schedule.degrees === "pool") return;
    const groups = (cluster.nodes * cluster.gpus) / parallel.context;
    const batch = schedule.global_batch;
    if (batch >= groups) return;
    const fix = replaceValue(subject, "schedule.global_batch", String(groups));
    report.at("schedule.global_batch", { batch, groups, idle: groups - batch }, fix);
  },
});
