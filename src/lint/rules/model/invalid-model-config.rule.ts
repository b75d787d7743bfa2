import { defineRule } from "../../rule.js";

export default defineRule({
  code: "invalid-model-config",
  needs: "model",
  check({ spec, model }, report) {
    const file = spec.model.config ?? "";
    for (const { problem, help } of model.problems)
      report.at("model.config", { file, problem }, help === undefined ? {} : { help });
  },
});
