import { lostSamples, lostShare } from "../../../lengths/prepare-data.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "overlong-samples-lost",
  needs: "lengths",
  stricterInPlans: true,
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
      const { summary } = measured;
      const { policy, rows } = summary.overlong;
      if (policy === "error" || rows === 0 || lostShare(summary) <= share) continue;
      report.at(place, lostSamples(summary));
    }
  },
});
