// npm run build: modules with types (tsc), then the command line in a few files, so that it starts fast (esbuild), and the
// pages that it shows.
import { createHash } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { ROOT, run } from "./lib.mjs";

const DIST = join(ROOT, "dist");
const CLI = join(DIST, "cli");
const ENTRY = join(CLI, "main.js");
/** Starts threads from files of its own, so it stays as it is. */
const EXTERNAL = ["piscina"];

rmSync(DIST, { recursive: true, force: true });
run(process.execPath, [
  join(ROOT, "node_modules", "typescript", "bin", "tsc"),
  "-p",
  "tsconfig.build.json",
]);

const SHARED = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  external: EXTERNAL,
  metafile: true,
  write: false,
  logLevel: "warning",
};
const program = await build({
  ...SHARED,
  entryPoints: [ENTRY],
  outdir: CLI,
  // Chunks lie beside the entry: where a module is says where the package's files are.
  chunkNames: "[name]-[hash]",
  splitting: true,
  format: "esm",
  // Packages in CommonJS that require what Node brings.
  banner: {
    js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
  },
});
// One script that V8's compiled code can be kept of, on every Node.
const lint = await build({
  ...SHARED,
  entryPoints: [join(CLI, "lint-main.js")],
  outfile: join(CLI, "lint.cjs"),
  format: "cjs",
  define: { "import.meta.url": "moduleUrl" },
  banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
});
for (const name of readdirSync(CLI)) rmSync(join(CLI, name));
for (const { path, contents } of program.outputFiles) writeFileSync(path, contents);
for (const { path, contents, text } of lint.outputFiles) {
  // Under which its compiled code is kept.
  const digest = createHash("sha256").update(contents).digest("hex");
  writeFileSync(path, `// ${digest}\n${text}`);
}
chmodSync(ENTRY, 0o755);
const bundled = [program, lint].flatMap(({ metafile }) => Object.keys(metafile.inputs));
writeFileSync(join(CLI, "THIRD-PARTY-LICENSES.txt"), licenses(bundled));
const { writePages } = await import("./diagnostic-pages.mjs");
writePages();

/** The licences of every package that the bundle holds. */
function licenses(inputs) {
  const packages = new Set(
    inputs.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  return [...packages]
    .sort()
    .map((name) => {
      const folder = join(ROOT, "node_modules", name);
      const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
      const text = file ? readFileSync(join(folder, file), "utf8").trim() : "";
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}
