import { defineRule } from "../../rule.js";

/** Tensors that a message names. */
const SHOWN = 3;

export default defineRule({
  code: "weights-of-another-shape",
  needs: "inputs",
  check({ spec, inputs: { weights } }, report) {
    if (weights?.state !== "stored") return;
    const { quantised, missing, unexpected, shapes } = weights.problems;
    if (shapes.length === 0 || quantised.length + missing.length + unexpected.length > 0) return;
    const { path = "" } = spec.model;
    const more = shapes.length > SHOWN ? ` and ${shapes.length - SHOWN} more` : "";
    report.at("model.path", { path, shapes: `${shapes.slice(0, SHOWN).join("; ")}${more}` });
  },
});
