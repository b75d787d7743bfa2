import { defineRule } from "../../rule.js";

export default defineRule({
  code: "resume-on-other-ranks",
  needs: "inputs",
  check({ spec, inputs }, report) {
    const ranks = spec.cluster.nodes * spec.cluster.gpus;
    if (spec.train.resume === "never") return;
    const adamw = spec.train.optimizer.type === "adamw";
    for (const { folder, ranks: had } of inputs.checkpoints) {
      if (had === ranks) continue;
      const reason = adamw
        ? "A run compiled into that folder resumes from it, after rank 0 has rewritten the whole checkpoint for the new number of ranks."
        : "A run compiled into that folder would refuse to start: DeepSpeed carries only AdamW's states over to another number of ranks.";
      const help = adamw
        ? "If this is intended, there is nothing to do; otherwise compile into another folder."
        : "Keep the number of ranks, or compile into another folder.";
      report.at("cluster.gpus", { folder, had, ranks, reason }, { help });
    }
  },
});
