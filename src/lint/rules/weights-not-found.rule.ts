import { defineRule } from "../rule.js";

export default defineRule({
  code: "weights-not-found",
  needs: "inputs",
  check({ spec, inputs }, report) {
    const { path = "" } = spec.model;
    if (inputs.weightsMissing) report.at("model.path", { path });
  },
});
