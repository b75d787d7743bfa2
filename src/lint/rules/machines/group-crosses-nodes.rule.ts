import { replaceValue } from "../../edits.js";
import { defineRule } from "../../rule.js";
import type { SpecSubject } from "../../subject.js";

export default defineRule({
  code: "group-crosses-nodes",
  needs: "spec",
  check(subject, report) {
    const { parallel, cluster, schedule } = subject.spec;
    const { context } = parallel;
    const { gpus } = cluster;
    if (context === "auto" || context <= gpus) return;
    // Of other degrees only a sequence that pays for it crosses nodes.
    if (schedule.degrees !== "local-or-all" && schedule.policy === "auto") return;
    if (!fitsOnNode(subject)) return;
    const fix = replaceValue(subject, "parallel.context", String(gpus));
    report.at("parallel.context", { context, gpus }, fix);
  },
});

/** Whether the longest sequence there is, or may be, fits on the GPUs of a node; `true` where nobody knows. */
function fitsOnNode({ spec, inputs, lengths }: SpecSubject): boolean {
  const context = spec.cluster.gpus;
  const longest = spec.data.max_length;
  return inputs?.memory(lengths ? { context } : { context, longest }).fits ?? true;
}
