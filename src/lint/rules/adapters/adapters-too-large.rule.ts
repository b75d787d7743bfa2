import { loraShape } from "../../../cost/adapters.js";
import { formatCount, formatShare } from "../../../foundation/format.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "adapters-too-large",
  needs: "inputs",
  options: {
    share: {
      doc: "Share of the model's parameters that adapters may have.",
      default: 0.25,
      min: 0,
      max: 100,
    },
  },
  check({ spec, inputs }, report, { share }) {
    const { rank } = spec.lora;
    if (rank === 0) return;
    const { shape } = inputs.dimensions;
    const { parameters } = loraShape(inputs.dimensions, spec.lora);
    const part = parameters / shape.parameters;
    if (part <= share) return;
    report.at("lora.rank", {
      rank,
      parameters: formatCount(parameters),
      share: formatShare(part),
    });
  },
});
