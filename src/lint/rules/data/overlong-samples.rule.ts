import { formatCount } from "../../../foundation/format.js";
import { replaceValue } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "overlong-samples",
  needs: "lengths",
  check(subject, report) {
    const { summary, longestRow } = subject.lengths.train;
    if (summary.overlong.policy !== "error" || summary.overlong.rows === 0) return;
    const longest = longestRow?.tokens ?? 0;
    const values = {
      count: summary.overlong.rows,
      limit: subject.spec.data.max_length,
      longest: formatCount(longest),
      place: `${longestRow?.path}:${longestRow?.line}`,
    };
    report.at("data.max_length", values, replaceValue(subject, "data.max_length", String(longest)));
  },
});
