import { formatCount, formatShare } from "../../../foundation/format.js";
import { removeKey } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "bucket-too-small",
  needs: "inputs",
  options: {
    share: {
      doc: "Least share of what fits that a bucket should hold.",
      default: 0.25,
      min: 0,
      max: 1,
    },
  },
  check(subject, report, { share }) {
    const { spec, inputs } = subject;
    const { bucket } = spec.memory;
    // What a CPU rank may take of its machine is assumed, so what fits there says little.
    if (bucket === undefined || inputs.gpu.device === "cpu") return;
    const most = inputs.memory().bucket;
    if (most === 0 || bucket >= share * most) return;
    const values = {
      bucket: formatCount(bucket),
      share: formatShare(bucket / most),
      most: formatCount(most),
    };
    report.at("memory.bucket", values, removeKey(subject, "memory.bucket", false));
  },
});
