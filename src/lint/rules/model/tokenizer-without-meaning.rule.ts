import { defineRule } from "../../rule.js";

export default defineRule({
  code: "tokenizer-without-meaning",
  needs: "spec",
  check({ spec }, report) {
    if (spec.data.tokenizer === "bytes" && spec.model.weights === "pretrained")
      report.at("data.tokenizer", {});
  },
});
