import { peakBytes } from "../../../cost/memory-model.js";
import { BYTES_PER_ELEMENT } from "../../../cost/shape.js";
import { formatBytes } from "../../../foundation/format.js";
import { replaceValue } from "../../edits.js";
import { defineRule } from "../../rule.js";

const STAGE = 1;

export default defineRule({
  code: "adapters-with-zero-three",
  needs: "inputs",
  options: {
    share: {
      doc: "Share of the budget up to which whole weights make sharding needless.",
      default: 0.5,
      min: 0,
      max: 1,
    },
  },
  check(subject, report, { share }) {
    const { spec, inputs, lengths } = subject;
    const single = spec.cluster.nodes * spec.cluster.gpus === 1;
    if (spec.lora.rank === 0 || spec.parallel.zero !== 3 || single) return;
    if (spec.memory.offload === "all") return;
    const longest = lengths ? {} : { longest: spec.data.max_length };
    const { model, available, fits } = inputs.memory({ zero: STAGE, ...longest });
    const needed = peakBytes(model, 0);
    if (!fits || needed > share * available) return;
    const { parameters } = inputs.dimensions.shape;
    const values = {
      weights: formatBytes(parameters * BYTES_PER_ELEMENT[spec.model.precision]),
      stage: STAGE,
      needed: formatBytes(needed),
      available: formatBytes(available),
    };
    report.at("parallel.zero", values, replaceValue(subject, "parallel.zero", String(STAGE)));
  },
});
