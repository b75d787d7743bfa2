import { formatShare } from "../../foundation/format.js";
import { defineRule } from "../rule.js";

export default defineRule({
  code: "overlong-samples-lost",
  needs: "lengths",
  options: {
    share: { doc: "Share of all tokens that may be lost.", default: 0.01, min: 0, max: 1 },
  },
  check({ lengths }, report, { share }) {
    const { overlong, rows, tokens } = lengths.train.summary;
    if (overlong.policy === "error" || overlong.rows === 0) return;
    const lost = overlong.tokens_lost / (tokens + overlong.tokens_lost);
    if (lost <= share) return;
    report.at("data.overlong", {
      count: overlong.rows,
      rows,
      fate: overlong.policy === "drop" ? "dropped" : "truncated",
      share: formatShare(lost),
    });
  },
});
