// What the compiler shows of every example of a diagnostic. Some are reported of data only, which takes Python to read: so
// it is kept in a file, and a build makes pages anywhere.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { stringify } from "yaml";
import { EXAMPLES, exampleFiles, specOf } from "./example-files.mjs";
import { ROOT } from "./lib.mjs";

/** The text of docs/diagnostics/shown.yaml. @param codes of all diagnostics, sorted */
export async function shownExamples(codes) {
  const runner = await exampleRunner();
  const shown = {};
  for (const code of codes) {
    const { wrong } = exampleFiles(code);
    if (wrong) shown[code] = `${await shownOf(runner, code, specOf(wrong.name))}\n`;
  }
  const head =
    "# Written by npm run generate: what is shown of the wrong example of every code. Do not edit.\n";
  return head + stringify(shown, { lineWidth: 0, blockQuote: "literal" });
}

async function shownOf({ NodeHost, isOfCode, reportsOf }, code, name) {
  const cache = mkdtempSync(join(tmpdir(), "skrull-pages-"));
  try {
    const host = new NodeHost(join(EXAMPLES, code), { SKRULL_CACHE: cache });
    for await (const { diagnostics } of reportsOf(host, name, "0")) {
      const found = diagnostics.filter((text) => isOfCode(text, code));
      if (found.length > 0) return found.join("\n\n").trimEnd();
    }
    throw new Error(`docs/diagnostics/examples/${code}/${name} does not report ${code}`);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

/** The built command line is one program: what runs examples is put together from the sources. */
async function exampleRunner() {
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
