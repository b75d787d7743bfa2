// The files of a diagnostic's examples, as its page shows them.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./lib.mjs";

export const EXAMPLES = join(ROOT, "docs", "diagnostics", "examples");
/** What `wrong` examples show, by code, as the compiler last said it. */
export const SHOWN = "docs/diagnostics/shown.yaml";
const CONFIGURATION = "skrull.config.yaml";

/** The wrong and the right example of a code, its note, and what lies beside them. */
export function exampleFiles(code) {
  const folder = join(EXAMPLES, code);
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true }).sort() : [];
  const isFile = (name) => statSync(join(folder, name)).isFile();
  const files = names.filter(isFile).map((name) => ({
    name,
    text: readFileSync(join(folder, name), "utf8"),
  }));
  const found = (start) => files.find(({ name }) => name.startsWith(start));
  const example = (start) => found(`${start}.skrull`) ?? found(`${start}/${CONFIGURATION}`);
  const [wrong, right, note] = [example("wrong"), example("right"), found("note.md")];
  const shown = [wrong, right, note, found("wrong/spec"), found("right/spec")];
  return { wrong, right, note, beside: files.filter((file) => !shown.includes(file)) };
}

/** What is linted: a configuration has a spec beside it. */
export const specOf = (name) => name.replace(CONFIGURATION, "spec.skrull");
