import { removeKey } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "attention-needs-gpu",
  needs: "spec",
  check(subject, report) {
    const { model, cluster } = subject.spec;
    const { attention } = model;
    if (cluster.gpu !== "cpu" || attention === "auto" || attention === "sdpa") return;
    report.at("model.attention", { attention }, removeKey(subject, "model.attention"));
  },
});
