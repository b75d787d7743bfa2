import { formatShare } from "../../foundation/format.js";
import { defineRule } from "../rule.js";

const SIMPLER = ["packed", "sorted"] as const;

export default defineRule({
  code: "gain-too-small",
  needs: "plan",
  options: {
    share: {
      doc: "Gains over the best simpler policy below this are reported.",
      default: 0.02,
      min: 0,
      max: 10,
    },
  },
  check({ spec, plan }, report, { share }) {
    if (spec.schedule.policy !== "auto" || spec.cluster.nodes * spec.cluster.gpus === 1) return;
    const speed = plan.speed();
    const [best] = SIMPLER.map((policy) => ({ policy, speed: plan.speed({ policy }) ?? 0 })).sort(
      (a, b) => b.speed - a.speed,
    );
    if (speed === undefined || !best || best.speed === 0) return;
    const gain = speed / best.speed - 1;
    if (gain >= share) return;
    const values = { gain: formatShare(Math.max(0, gain)), policy: best.policy };
    report.at("schedule.policy", values);
  },
});
