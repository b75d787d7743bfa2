import { totalBytes } from "../../cost/memory.js";
import { formatBytes } from "../../foundation/format.js";
import { defineRule } from "../rule.js";

const GIB = 1024 ** 3;

export default defineRule({
  code: "host-memory-short",
  needs: "inputs",
  options: {
    gibibytes_per_gpu: {
      doc: "GiB of host memory for every GPU, where the spec does not say what a node has.",
      default: 192,
      min: 1,
      max: 1e6,
    },
    share: { doc: "Share of a node's memory that offloading may take.", default: 0.9, min: 0, max: 1 },
  },
  check({ spec, inputs }, report, { gibibytes_per_gpu: usual, share }) {
    const { offload } = spec.memory;
    const { gpus, host_memory: stated } = spec.cluster;
    if (offload === "none" || (inputs.gpu.device === "cpu" && stated === undefined)) return;
    const { host } = inputs.memory().model;
    const needed = gpus * totalBytes(host);
    const have = stated ?? gpus * usual * GIB;
    if (needed <= share * have) return;
    const table = host
      .map(({ name, bytes }) => `${name} ${formatBytes(gpus * bytes)}`)
      .join(", ");
    const whose = stated === undefined ? "are usual (cluster { host_memory } says otherwise)" : "are there";
    const values = { needed: formatBytes(needed), have: formatBytes(have), whose, ranks: gpus, table };
    const help = "More nodes divide what a node keeps; offload = optimizer keeps less than all.";
    report.at("memory.offload", values, { help });
  },
});
