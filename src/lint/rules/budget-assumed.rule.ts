import { formatBytes } from "../../foundation/format.js";
import { defineRule } from "../rule.js";

export default defineRule({
  code: "budget-assumed",
  needs: "inputs",
  check({ spec, origins, file, inputs }, report) {
    const { device, memory_bytes } = inputs.gpu;
    const known = spec.memory.budget !== undefined || spec.cluster.host_memory !== undefined;
    if (device !== "cpu" || known) return;
    // What this spec leaves out is not said of a file that it imports.
    const own = origins.place("cluster.gpu").file === file;
    const place = own && !origins.has("memory") ? "cluster.gpu" : "memory";
    report.at(place, { assumed: formatBytes(memory_bytes) });
  },
});
