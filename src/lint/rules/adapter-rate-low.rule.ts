import { defineRule } from "../rule.js";

export default defineRule({
  code: "adapter-rate-low",
  needs: "spec",
  options: { least: { doc: "Rates below this are reported.", default: 2e-5, min: 0, max: 10 } },
  check({ spec }, report, { least }) {
    const { lr, type } = spec.train.optimizer;
    if (spec.lora.rank > 0 && type === "adamw" && lr < least)
      report.at("train.optimizer.lr", { rate: lr.toExponential() });
  },
});
