import { COMBINATIONS } from "../../compatibility.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "incompatible-combination",
  needs: "inputs",
  check(subject, report) {
    for (const { path, holds, what, reason, versions, thread, help } of COMBINATIONS) {
      if (!holds(subject)) continue;
      const shape = subject.inputs.dimensions.shape;
      report.at(path, { what: what(shape), reason, versions, thread }, { help });
    }
  },
});
