import { formatCount, formatShare } from "../../../foundation/format.js";
import { replaceValue } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "context-too-large",
  needs: "plan",
  options: {
    share: {
      doc: "Least gain of a smaller degree that is reported.",
      default: 0.05,
      min: 0,
      max: 10,
    },
  },
  check(subject, report, { share }) {
    const { spec, plan, lengths } = subject;
    const { context } = spec.parallel;
    if (context === "auto") return;
    const speed = plan.speed(context);
    const [best] = plan.degrees
      .filter((degree) => degree < context)
      .map((degree) => ({ degree, speed: plan.speed(degree) ?? 0 }))
      .sort((a, b) => b.speed - a.speed);
    if (speed === undefined || best === undefined || best.speed < (1 + share) * speed) return;
    const values = {
      better: best.degree,
      gain: formatShare(best.speed / speed - 1),
      context,
      longest: formatCount(lengths.longest),
    };
    const fix = replaceValue(subject, "parallel.context", String(best.degree));
    report.at("parallel.context", values, fix);
  },
});
