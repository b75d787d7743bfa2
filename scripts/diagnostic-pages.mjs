// The pages of docs/diagnostics, from the catalogue and what the built compiler says about their examples.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { ROOT } from "./lib.mjs";

const EXAMPLES = join(ROOT, "docs", "diagnostics", "examples");
const CONFIGURATION = "skrull.config.yaml";
const built = (path) => import(pathToFileURL(join(ROOT, "dist", path)).href);

/** Path to text of every page and of their index. */
export async function diagnosticPages() {
  const { DIAGNOSTIC_CODES, diagnosticIndex, diagnosticPage } = await built("diagnostics/page.js");
  const pages = { "docs/diagnostics/README.md": diagnosticIndex() };
  for (const code of DIAGNOSTIC_CODES) {
    pages[`docs/diagnostics/${code}.md`] = diagnosticPage(code, await examplesOf(code));
  }
  return pages;
}

/** Pages of codes that there are no more. */
export async function orphanedPages() {
  const { DIAGNOSTIC_CODES } = await built("diagnostics/page.js");
  const known = new Set(["README.md", "examples", ...DIAGNOSTIC_CODES.map((code) => `${code}.md`)]);
  const folder = join(ROOT, "docs", "diagnostics");
  return readdirSync(folder).filter((name) => !known.has(name));
}

async function examplesOf(code) {
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
  return {
    ...(wrong ? { wrong: { ...wrong, shown: await shownOf(code, specOf(wrong.name)) } } : {}),
    ...(right ? { right } : {}),
    ...(note ? { note: note.text } : {}),
    beside: files.filter((file) => !shown.includes(file)),
  };
}

/** What is linted: a configuration has a spec beside it. */
const specOf = (name) => name.replace(CONFIGURATION, "spec.skrull");

async function shownOf(code, name) {
  const { NodeHost, isOfCode, reportsOf } = await exampleRunner();
  const cache = mkdtempSync(join(tmpdir(), "skrull-pages-"));
  try {
    const host = new NodeHost(join(EXAMPLES, code), { SKRULL_CACHE: cache });
    for await (const { diagnostics } of reportsOf(host, name, "0")) {
      const found = diagnostics.filter((text) => isOfCode(text, code));
      if (found.length > 0) return found.join("\n\n");
    }
    throw new Error(`docs/diagnostics/examples/${code}/${name} does not report ${code}`);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

let runner;
/** The built command line is one program: what runs examples is put together from the sources. */
async function exampleRunner() {
  runner ??= await bundled();
  return runner;
}

async function bundled() {
  // As deep as the modules of dist/, which find the package's files from where they are.
  const outfile = join(ROOT, "build", "pages", "examples.mjs");
  await build({
    stdin: {
      contents: `export * from "./src/cli/example.ts"; export * from "./src/host/node-host.ts";`,
      resolveDir: ROOT,
    },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "warning",
  });
  return import(pathToFileURL(outfile).href);
}
