import { formatShare } from "../../foundation/format.js";
import { defineRule } from "../rule.js";

export default defineRule({
  code: "gain-too-small",
  needs: "plan",
  options: {
    share: {
      doc: "Gain over the best simpler policy below which it is said.",
      default: 0.02,
      min: 0,
      max: 10,
    },
  },
  check({ spec, plan }, report, { share }) {
    const { policy: chosen } = spec.schedule;
    const [best] = Object.entries(plan.others).sort(([, a], [, b]) => b - a);
    if (!best || chosen !== "auto" || spec.cluster.nodes * spec.cluster.gpus === 1) return;
    const [policy, speed] = best;
    const gain = plan.speed / speed - 1;
    if (gain >= share) return;
    report.at("schedule.policy", { gain: formatShare(Math.max(0, gain)), policy });
  },
});
