import { scalingAdvice } from "../../../catalogue/rope.js";
import { formatCount } from "../../../foundation/format.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "max-length-beyond-positions",
  needs: "inputs",
  check({ spec, inputs, lengths }, report) {
    const { max_positions: positions } = inputs.dimensions;
    const limit = spec.data.max_length;
    // With measured data, position-limit says what is really over it.
    if (lengths || positions === undefined || limit <= positions) return;
    const values = { limit: formatCount(limit), positions: formatCount(positions) };
    const help = `Lower max_length, or ${scalingAdvice(limit, inputs.dimensions)}.`;
    report.at("data.max_length", values, { help });
  },
});
