import { removeKey } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "adapter-scale-unusual",
  needs: "spec",
  options: {
    least: { doc: "Scales below this are reported.", default: 0.1, min: 0, max: 1e6 },
    most: { doc: "Scales above this are reported.", default: 8, min: 0, max: 1e6 },
  },
  check(subject, report, { least, most }) {
    const { rank, alpha, rslora } = subject.spec.lora;
    if (rank === 0 || alpha === undefined) return;
    const divisor = rslora ? Math.sqrt(rank) : rank;
    const scale = alpha / divisor;
    if (scale >= least && scale <= most) return;
    // The default is another scale, so whoever wrote this one must agree.
    const fix = removeKey(subject, "lora.alpha", false);
    report.at(
      "lora.alpha",
      { scale: Number(scale.toPrecision(3)), divisor: rslora ? "root of rank" : "rank" },
      fix,
    );
  },
});
