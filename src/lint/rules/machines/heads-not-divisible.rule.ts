import { defineRule } from "../../rule.js";

export default defineRule({
  code: "heads-not-divisible",
  needs: "inputs",
  check({ spec, inputs }, report) {
    const { context } = spec.parallel;
    if (spec.schedule.policy !== "deepspeed" || context === "auto") return;
    const { heads, kv_heads } = inputs.dimensions.shape;
    // Fewer key-value heads than ranks are repeated, where that comes out even.
    const shared = kv_heads % context === 0 || context % kv_heads === 0;
    if (heads % context === 0 && shared) return;
    report.at("parallel.context", { heads, kv_heads, context });
  },
});
