import { formatCount } from "../../../foundation/format.js";
import { defineRule } from "../../rule.js";
import { stepsOf } from "../../steps.js";

export default defineRule({
  code: "warmup-dominates",
  needs: "spec",
  options: {
    share: { doc: "Share of the run that may be warm-up.", default: 0.3, min: 0, max: 1 },
  },
  check(subject, report, { share }) {
    const steps = stepsOf(subject);
    const { warmup_steps, warmup_ratio: ratio } = subject.spec.train.learning_rate;
    if (steps === undefined) return;
    const warmup = ratio === undefined ? warmup_steps : Math.round(ratio * steps);
    if (warmup <= share * steps) return;
    const reason =
      warmup >= steps
        ? "The learning rate never reaches its peak."
        : "The learning rate is at its peak only for the rest; a few percent is usual.";
    const values = { warmup: formatCount(warmup), steps: formatCount(steps), reason };
    const key = ratio === undefined ? "warmup_steps" : "warmup_ratio";
    report.at(`train.learning_rate.${key}`, values);
  },
});
