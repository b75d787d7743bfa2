import { defineRule } from "../../rule.js";

export default defineRule({
  code: "weights-not-found",
  needs: "inputs",
  check({ spec, inputs: { weights } }, report) {
    const { path = "" } = spec.model;
    if (weights?.state === "missing") report.at("model.path", { path, what: weights.what });
  },
});
