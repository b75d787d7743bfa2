import { likelyCause, listed } from "../../../inputs/weights/cause.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "weights-incomplete",
  needs: "inputs",
  check({ spec, inputs: { weights } }, report) {
    if (weights?.state !== "stored" || weights.problems.quantised.length > 0) return;
    const { missing, unexpected } = weights.problems;
    const found = [
      ...(missing.length > 0 ? [`${listed(missing)} of the model are not in the files`] : []),
      ...(unexpected.length > 0 ? [`${listed(unexpected)} of the files are not in the model`] : []),
    ].join(" and ");
    if (found === "") return;
    const { path = "" } = spec.model;
    report.at("model.path", { path, found }, { help: likelyCause(weights.problems) });
  },
});
