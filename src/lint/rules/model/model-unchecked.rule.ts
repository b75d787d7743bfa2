import { dirname } from "pathe";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "model-unchecked",
  needs: "model",
  check({ spec, model: { unchecked } }, report) {
    if (unchecked === undefined) return;
    const folder = dirname(spec.model.config ?? "config.json");
    report.at("model.config", { model_type: unchecked, folder });
  },
});
