import { formatCount } from "../../../foundation/format.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "unsupervised-samples",
  needs: "lengths",
  options: {
    share: { doc: "Share of samples that may have no target.", default: 0.02, min: 0, max: 1 },
  },
  check({ lengths }, report, { share }) {
    const { samples, unsupervised_samples: count } = lengths.train.summary;
    if (count <= share * samples) return;
    report.at("data.supervise", { count: formatCount(count), samples: formatCount(samples) });
  },
});
