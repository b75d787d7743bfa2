import { defineRule } from "../../rule.js";

export default defineRule({
  code: "weights-unreadable",
  needs: "inputs",
  check({ inputs: { weights } }, report) {
    if (weights?.state !== "unreadable") return;
    report.at("model.path", { file: weights.file, problem: weights.problem });
  },
});
