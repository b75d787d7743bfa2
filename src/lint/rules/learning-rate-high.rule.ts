import { defineRule } from "../rule.js";

export default defineRule({
  code: "learning-rate-high",
  needs: "spec",
  options: { most: { doc: "Rates above this are reported.", default: 5e-4, min: 0, max: 10 } },
  check({ spec }, report, { most }) {
    const { lr, type } = spec.train.optimizer;
    const whole = spec.lora.rank === 0 && spec.model.weights === "pretrained";
    if (whole && type === "adamw" && lr > most)
      report.at("train.optimizer.lr", { rate: lr.toExponential() });
  },
});
