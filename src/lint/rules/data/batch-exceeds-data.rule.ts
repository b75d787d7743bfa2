import { formatCount } from "../../../foundation/format.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "batch-exceeds-data",
  needs: "lengths",
  check({ spec, lengths }, report) {
    const { samples } = lengths.train.summary;
    const batch = spec.schedule.global_batch;
    if (batch <= samples) return;
    const values = { batch: formatCount(batch), samples: formatCount(samples) };
    report.at("schedule.global_batch", values);
  },
});
