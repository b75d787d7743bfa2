import { defineRule } from "../../rule.js";

export default defineRule({
  code: "model-undescribed",
  needs: "model",
  check({ model: { undescribed } }, report) {
    if (undescribed !== undefined) report.at("model.config", { model_type: undescribed });
  },
});
