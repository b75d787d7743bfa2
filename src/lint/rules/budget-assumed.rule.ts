import { formatBytes } from "../../foundation/format.js";
import { defineRule } from "../rule.js";

export default defineRule({
  code: "budget-assumed",
  needs: "inputs",
  check({ spec, inputs }, report) {
    const { device, memory_bytes } = inputs.gpu;
    if (device === "cpu" && spec.memory.budget === undefined)
      report.at("memory", { assumed: formatBytes(memory_bytes) });
  },
});
