import { defineRule } from "../rule.js";

export default defineRule({
  code: "group-crosses-nodes",
  needs: "spec",
  check({ spec }, report) {
    const { context } = spec.parallel;
    const { gpus } = spec.cluster;
    if (context === "auto" || context <= gpus) return;
    report.at("parallel.context", { context, gpus });
  },
});
