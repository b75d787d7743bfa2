import { layerInputBytes } from "../../../cost/layer-inputs.js";
import { peakBytes } from "../../../cost/memory-model.js";
import { formatBytes } from "../../../foundation/format.js";
import { groupAt, shardTokens } from "../../../plan/fit.js";
import { replaceValue } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "checkpointing-offload-needless",
  needs: "lengths",
  options: {
    share: {
      doc: "Share of the budget that the longest sequence may take with layer inputs on the GPU.",
      default: 0.8,
      min: 0,
      max: 1,
    },
  },
  check(subject, report, { share }) {
    const { spec, inputs, lengths } = subject;
    const { model, parallel } = spec;
    if (model.checkpointing !== "offload" || parallel.context === "auto") return;
    const shard = shardTokens(lengths.longest, groupAt(parallel.context, spec));
    const { model: rows, available } = inputs.memory({ checkpointing: "full" });
    const needed = peakBytes(rows, shard + 1);
    const cpu = inputs.gpu.device === "cpu";
    if (needed > share * available && !cpu) return;
    const kept = shard * layerInputBytes(inputs.dimensions.shape, model.precision);
    const values = {
      kept: formatBytes(kept),
      reason: cpu
        ? "A rank on a CPU has no other memory than the host's"
        : `With checkpointing = full, the longest sequence needs ${formatBytes(needed)} of the ${formatBytes(available)} a rank may use`,
    };
    const path = "model.checkpointing";
    report.at(path, values, replaceValue(subject, path, "full"));
  },
});
