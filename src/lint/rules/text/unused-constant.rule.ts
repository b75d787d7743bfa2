import { removal } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "unused-constant",
  needs: "names",
  check({ names: { document, symbols } }, report) {
    const used = new Set(
      symbols.flatMap(({ kind, name, uses }) =>
        kind === "constant" && uses.length > 0 ? [name] : [],
      ),
    );
    for (const constant of document.tree.constants) {
      const { text: name, start, end } = constant.name;
      if (used.has(name)) continue;
      // Another file may import this one for it.
      const fix = removal(document, constant, `let ${name}`, false);
      report.span(document, start, end, { name }, fix);
    }
  },
});
