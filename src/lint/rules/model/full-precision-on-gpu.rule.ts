import { formatCount } from "../../../foundation/format.js";
import { replaceValue } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "full-precision-on-gpu",
  needs: "inputs",
  check(subject, report) {
    const { spec, inputs } = subject;
    const { device, title, peak_flops: peak } = inputs.gpu;
    if (spec.model.precision !== "fp32" || device !== "cuda" || peak.bf16 === null) return;
    const values = {
      gpu: title,
      fp_thirty_two: formatCount(peak.fp32 / 1e12),
      bf_sixteen: formatCount(peak.bf16 / 1e12),
    };
    report.at("model.precision", values, replaceValue(subject, "model.precision", "bf16"));
  },
});
