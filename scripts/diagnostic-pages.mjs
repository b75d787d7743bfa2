// The page of every diagnostic, in dist/pages: from the built catalogue, its examples, and what is shown of them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { exampleFiles, SHOWN } from "./example-files.mjs";
import { ROOT } from "./lib.mjs";

const DIST = join(ROOT, "dist");
const PAGES = join(DIST, "pages");

const { DIAGNOSTIC_CODES, diagnosticIndex, diagnosticPage } = await import(
  pathToFileURL(join(DIST, "diagnostics", "page.js")).href
);

/** Writes dist/pages; needs neither Python nor anything that a build has not made. */
export function writePages() {
  const shown = parse(readFileSync(join(ROOT, SHOWN), "utf8"));
  rmSync(PAGES, { recursive: true, force: true });
  mkdirSync(PAGES);
  for (const code of DIAGNOSTIC_CODES)
    writeFileSync(join(PAGES, `${code}.md`), diagnosticPage(code, examplesOf(code, shown[code])));
}

/** The text of docs/diagnostics/README.md. */
export const indexPage = () => diagnosticIndex(examplesOf);

/** @param shown of a new code there is none until `npm run generate` has run its example */
function examplesOf(code, shown = "") {
  const { wrong, right, note, beside } = exampleFiles(code);
  return {
    ...(wrong ? { wrong: { ...wrong, shown } } : {}),
    ...(right ? { right } : {}),
    ...(note ? { note: note.text } : {}),
    beside,
  };
}
