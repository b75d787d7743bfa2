import { listed, shown } from "../../../inputs/weights/cause.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "weights-quantised",
  needs: "inputs",
  check({ spec, inputs: { weights } }, report) {
    if (weights?.state !== "stored") return;
    const { quantised, types } = weights.problems;
    if (quantised.length === 0) return;
    const { path = "" } = spec.model;
    const stored = types.length > 3 ? listed(types) : types.map(shown).join(", ");
    report.at("model.path", { path, names: listed(quantised), types: stored });
  },
});
