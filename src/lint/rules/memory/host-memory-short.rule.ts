import { totalBytes } from "../../../cost/memory-model.js";
import { formatBytes } from "../../../foundation/format.js";
import { defineRule } from "../../rule.js";

const GIB = 1024 ** 3;

export default defineRule({
  code: "host-memory-short",
  needs: "inputs",
  options: {
    gibibytes_per_gpu: {
      doc: "GiB of host memory that a node is assumed to have per GPU.",
      default: 192,
      min: 1,
      max: 1e6,
    },
  },
  check({ spec, inputs }, report, { gibibytes_per_gpu: usual }) {
    const { offload } = spec.memory;
    const { gpus: ranks, host_memory: stated } = spec.cluster;
    // Where the spec says what a node has, the planner holds the run to it.
    if (offload === "none" || stated !== undefined || inputs.gpu.device === "cpu") return;
    const { host } = inputs.memory().model;
    const needed = ranks * totalBytes(host);
    const have = ranks * usual * GIB;
    if (needed <= have) return;
    const rows = host.map(({ name, bytes }) => `${name} ${formatBytes(ranks * bytes)}`);
    const values = { needed: formatBytes(needed), have: formatBytes(have), ranks };
    report.at("memory.offload", { ...values, table: rows.join(", ") });
  },
});
