import { defineRule } from "../../rule.js";

export default defineRule({
  code: "stale-lengths",
  needs: "inputs",
  check({ inputs }, report) {
    for (const { key, file } of inputs.stale) report.at(key, { file });
  },
});
