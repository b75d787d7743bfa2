import { formatCount } from "../../../foundation/format.js";
import type { Spec } from "../../../language/language.js";
import { defineRule } from "../../rule.js";
import { stepsOf } from "../../steps.js";

const INTERVALS: readonly (readonly [string, (spec: Spec) => number, string])[] = [
  [
    "train.checkpoint_every",
    ({ train }) => train.checkpoint_every,
    "Only the end of the run is saved.",
  ],
  [
    "evaluate.every",
    // Without data another rule says that nothing is evaluated at all.
    ({ evaluate }) => (evaluate.data.length > 0 || evaluate.share > 0 ? evaluate.every : 0),
    "Only the end of the run is evaluated.",
  ],
  ["train.log_every", ({ train }) => train.log_every, "No step is printed."],
];

export default defineRule({
  code: "interval-beyond-run",
  needs: "spec",
  ofEveryRun: true,
  check(subject, report) {
    const steps = stepsOf(subject);
    if (steps === undefined) return;
    for (const [path, intervalOf, reason] of INTERVALS) {
      const interval = intervalOf(subject.spec);
      if (interval <= steps) continue;
      const values = { interval: formatCount(interval), steps: formatCount(steps), reason };
      report.at(path, values);
    }
  },
});
