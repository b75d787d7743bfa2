import { formatShare } from "../../foundation/format.js";
import { defineRule } from "../rule.js";

export default defineRule({
  code: "overlong-samples-lost",
  needs: "lengths",
  options: {
    share: { doc: "Share of all tokens that may be lost.", default: 0.01, min: 0, max: 1 },
  },
  check({ lengths }, report, { share }) {
    const { train, evaluation } = lengths;
    for (const [place, measured] of [
      ["data.overlong", train],
      ["evaluate.data", evaluation],
    ] as const) {
      if (!measured) continue;
      const { overlong, rows, tokens } = measured.summary;
      const lost = overlong.tokens_lost / (tokens + overlong.tokens_lost);
      if (overlong.policy === "error" || overlong.rows === 0 || lost <= share) continue;
      report.at(place, {
        count: overlong.rows,
        rows,
        fate: overlong.policy === "drop" ? "dropped" : "truncated",
        share: formatShare(lost),
      });
    }
  },
});
