import { bytesPerLogit } from "../../../cost/memory.js";
import { bytesAt, bytesOf } from "../../../cost/memory-model.js";
import { formatBytes, formatCount, formatShare } from "../../../foundation/format.js";
import { removeKey } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "logits-dominate",
  needs: "inputs",
  options: {
    share: {
      doc: "Share of what model states leave that logits may take.",
      default: 0.3,
      min: 0,
      max: 1,
    },
  },
  check(subject, report, { share }) {
    const { spec, inputs } = subject;
    const { model, available } = inputs.memory();
    const logits = bytesOf(model.fixed, "logits");
    const left = available - (bytesAt("loss", model, 0) - logits);
    // Where the states alone do not fit, another rule says so.
    if (left <= 0 || logits <= share * left) return;
    const { vocab_size: vocabulary } = inputs.dimensions.shape;
    const perLogit = bytesPerLogit(spec.model.precision);
    const chosen = subject.origins.has("train.loss_chunk");
    const values = {
      logits: formatBytes(logits),
      share: logits > left ? `${(logits / left).toFixed(1)} x` : `${formatShare(logits / left)} of`,
      vocabulary: formatCount(vocabulary),
      tokens: formatCount(logits / (perLogit * vocabulary)),
    };
    if (!chosen) return report.at("memory.budget", values);
    const help = "Lower loss_chunk, or leave it out.";
    const fix = removeKey(subject, "train.loss_chunk", false);
    report.at("train.loss_chunk", values, { help, ...fix });
  },
});
