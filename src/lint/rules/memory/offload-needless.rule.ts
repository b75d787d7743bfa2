import { peakBytes } from "../../../cost/memory-model.js";
import { formatBytes } from "../../../foundation/format.js";
import { groupAt, shardTokens } from "../../../plan/fit.js";
import { removeKey } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "offload-needless",
  needs: "lengths",
  options: {
    share: {
      doc: "Share of the budget that the longest sequence may take without offload.",
      default: 0.8,
      min: 0,
      max: 1,
    },
  },
  check(subject, report, { share }) {
    const { spec, inputs, lengths } = subject;
    const { offload } = spec.memory;
    const { context } = spec.parallel;
    if (offload === "none" || context === "auto") return;
    const { model, available } = inputs.memory({ offload: "none" });
    const needed = peakBytes(model, shardTokens(lengths.longest, groupAt(context, spec)) + 1);
    if (needed > share * available) return;
    const values = { offload, needed: formatBytes(needed), available: formatBytes(available) };
    report.at("memory.offload", values, removeKey(subject, "memory.offload", false));
  },
});
