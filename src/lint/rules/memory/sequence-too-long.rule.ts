import type { Rule } from "../../rule.js";
import type { SubjectWith } from "../../subject.js";

/** As the planner reports it, unless only held-out sequences are too long. */
const sequenceTooLong: Rule = {
  code: "sequence-too-long",
  needs: "lengths",
  options: {},
  run: (subject) => {
    const { inputs, lengths } = subject as SubjectWith<"lengths">;
    const { fits } = inputs.memory({ longest: lengths.train.summary.longest });
    return fits ? [] : inputs.problems().filter(({ code }) => code === "sequence-too-long");
  },
};

export default sequenceTooLong;
