import { defineRule } from "../../rule.js";

export default defineRule({
  code: "adapters-on-random-weights",
  needs: "spec",
  check({ spec }, report) {
    if (spec.lora.rank > 0 && spec.model.weights === "random") report.at("lora.rank", {});
  },
});
