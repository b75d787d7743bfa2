import { formatCount } from "../../../foundation/format.js";
import { groupAt, shardTokens } from "../../../plan/fit.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "evaluation-too-long",
  needs: "lengths",
  check({ spec, inputs, lengths }, report) {
    const trained = lengths.train.summary.longest;
    const longest = lengths.evaluation?.summary.longest ?? 0;
    if (longest <= trained || inputs.memory().fits || !inputs.memory({ longest: trained }).fits)
      return;
    const ranks = spec.cluster.nodes * spec.cluster.gpus;
    const context = spec.parallel.context === "auto" ? ranks : spec.parallel.context;
    report.at("evaluate.data", {
      longest: formatCount(longest),
      trained: formatCount(trained),
      shard: formatCount(shardTokens(longest, groupAt(context, spec))),
      bucket: formatCount(spec.memory.bucket ?? inputs.memory().bucket),
    });
  },
});
