import { formatCount } from "../../foundation/format.js";
import { defineRule } from "../rule.js";

export default defineRule({
  code: "max-length-beyond-positions",
  needs: "inputs",
  check({ spec, inputs, lengths }, report) {
    const { max_positions: positions, rope_type: rope } = inputs.dimensions;
    const limit = spec.data.max_length;
    // With measured data, position-limit says what is really over it.
    if (lengths || positions === undefined || limit <= positions) return;
    const values = { limit: formatCount(limit), positions: formatCount(positions) };
    const factor = Math.ceil(limit / positions);
    const help =
      rope === "default"
        ? `Lower max_length, or write model { rope_scaling = yarn { factor = ${factor} } }.`
        : "Lower max_length, or scale by a larger factor: model { rope_scaling = ... }.";
    report.at("data.max_length", values, { help });
  },
});
