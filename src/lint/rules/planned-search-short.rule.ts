import { removeKey } from "../edits.js";
import { defineRule } from "../rule.js";

export default defineRule({
  code: "planned-search-short",
  needs: "spec",
  check(subject, report) {
    const { mode, iterations, global_batch: batch } = subject.spec.schedule;
    if (mode !== "planned" || iterations >= batch) return;
    report.at(
      "schedule.iterations",
      { iterations, batch },
      removeKey(subject, "schedule.iterations", false),
    );
  },
});
