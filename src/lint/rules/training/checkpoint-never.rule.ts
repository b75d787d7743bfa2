import { formatCount } from "../../../foundation/format.js";
import { defineRule } from "../../rule.js";
import { stepsOf } from "../../steps.js";

export default defineRule({
  code: "checkpoint-never",
  needs: "spec",
  options: {
    steps: { doc: "Runs of fewer steps are not reported.", default: 2000, min: 1, max: 1e9 },
  },
  check(subject, report, { steps: most }) {
    const steps = stepsOf(subject);
    if (steps === undefined || steps < most || subject.spec.train.checkpoint_every > 0) return;
    report.at("train.checkpoint_every", { steps: formatCount(steps) });
  },
});
