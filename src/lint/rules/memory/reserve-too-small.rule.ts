import { formatBytes } from "../../../foundation/format.js";
import { removeKey } from "../../edits.js";
import { defineRule } from "../../rule.js";

const GIB = 1024 ** 3;

export default defineRule({
  code: "reserve-too-small",
  needs: "inputs",
  options: {
    gibibytes: {
      doc: "GiB that a GPU needs besides what is planned.",
      default: 1,
      min: 0,
      max: 1024,
    },
  },
  check(subject, report, { gibibytes }) {
    const { reserve, budget } = subject.spec.memory;
    const { device, memory_bytes: whole } = subject.inputs.gpu;
    if (device !== "cuda") return;
    // What a budget leaves of the GPU is reserved just as well.
    const spared = reserve + (budget === undefined ? 0 : whole - budget);
    const usual = gibibytes * GIB;
    if (spared >= usual) return;
    const values = { reserve: formatBytes(reserve), usual: formatBytes(usual) };
    report.at("memory.reserve", values, removeKey(subject, "memory.reserve", false));
  },
});
