import { defineRule } from "../rule.js";

export default defineRule({
  code: "adapter-rate-high",
  needs: "spec",
  options: { most: { doc: "Rates above this are reported.", default: 5e-3, min: 0, max: 10 } },
  check({ spec }, report, { most }) {
    const { lr, type } = spec.train.optimizer;
    if (spec.lora.rank > 0 && type === "adamw" && lr > most)
      report.at("train.optimizer.lr", { rate: lr.toExponential(), most: most.toExponential() });
  },
});
