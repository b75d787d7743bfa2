import { formatCount } from "../../../foundation/format.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "last-batch-tiny",
  needs: "lengths",
  options: {
    share: {
      doc: "Last batches up to this share of a global batch are reported.",
      default: 0.05,
      min: 0,
      max: 1,
    },
  },
  check({ spec, lengths }, report, { share }) {
    const batch = spec.schedule.global_batch;
    const { lastBatch: last } = lengths;
    const reached = lengths.steps >= lengths.stepsPerEpoch && lengths.stepsPerEpoch > 1;
    if (!reached || last > share * batch) return;
    report.at("schedule.global_batch", { last: formatCount(last), batch: formatCount(batch) });
  },
});
