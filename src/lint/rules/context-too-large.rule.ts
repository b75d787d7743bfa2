import { formatCount } from "../../foundation/format.js";
import { divisors } from "../../foundation/integers.js";
import { replaceValue } from "../edits.js";
import { defineRule } from "../rule.js";

export default defineRule({
  code: "context-too-large",
  needs: "lengths",
  check(subject, report) {
    const { spec, inputs } = subject;
    const { context } = spec.parallel;
    // Other degrees share a sequence among as few ranks as it needs, whatever the largest is.
    if (context === "auto" || spec.schedule.degrees !== "local-or-all") return;
    if (!inputs.memory().fits) return;
    const smaller = divisors(context).filter((degree) => degree < context);
    const needed = smaller.find((degree) => inputs.memory({ context: degree }).fits);
    if (needed === undefined) return;
    const { train, evaluation } = subject.lengths;
    const longest = Math.max(train.summary.longest, evaluation?.summary.longest ?? 0);
    report.at(
      "parallel.context",
      { longest: formatCount(longest), needed, context },
      {
        help: `Use context = ${needed}, or degrees = powers-of-two, which shares a sequence among as few ranks as pays.`,
        ...replaceValue(subject, "parallel.context", String(needed)),
      },
    );
  },
});
