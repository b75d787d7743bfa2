// npm run bench:server [-- --edits N --lines N]: how soon an edit shows its diagnostics, through the protocol.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import {
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";
import { ROOT, say } from "../../scripts/lib.mjs";
import { longSpec } from "./long-spec.mjs";

const { values } = parseArgs({
  options: {
    edits: { type: "string", default: "200" },
    lines: { type: "string", default: "2000" },
  },
});
const edits = Number(values.edits);
const CLI = join(ROOT, "dist", "cli", "main.js");
/** Between two keys of someone who types fast, ms. */
const PAUSE = 80;

const text = longSpec(Number(values.lines));
const folder = mkdtempSync(join(tmpdir(), "skrull-bench-"));
const path = join(folder, "long.skrull");
const uri = pathToFileURL(path).href;
writeFileSync(path, text);

const server = spawn(process.execPath, [CLI, "lsp"], { stdio: ["pipe", "pipe", "inherit"] });
const connection = createProtocolConnection(
  new StreamMessageReader(server.stdout),
  new StreamMessageWriter(server.stdin),
);
const waiting = new Map();
connection.onNotification("textDocument/publishDiagnostics", ({ version, diagnostics }) => {
  waiting.get(version)?.(diagnostics);
  waiting.delete(version);
});
connection.listen();

const shown = (version) => new Promise((resolve) => waiting.set(version, resolve));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const timed = async (action) => {
  const start = performance.now();
  await action();
  return performance.now() - start;
};

await connection.sendRequest("initialize", { processId: null, rootUri: null, capabilities: {} });
await connection.sendNotification("initialized", {});
const opened = await timed(async () => {
  const first = shown(1);
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "skrull", version: 1, text },
  });
  const found = await first;
  if (found.length > 0) throw new Error(`the spec is not clean: ${JSON.stringify(found[0])}`);
});

const lines = text.split("\n");
const target = lines.findIndex((line, n) => n > lines.length / 2 && line.includes("gpus = 8"));
const column = lines[target].indexOf("8");
let version = 1;

/** A key pressed: 8 becomes 8x, and 8 again. Checks that what is shown is of this text. */
async function edit(broken) {
  version += 1;
  const answer = shown(version);
  const start = { line: target, character: column + 1 };
  const end = { line: target, character: column + (broken ? 1 : 2) };
  await connection.sendNotification("textDocument/didChange", {
    textDocument: { uri, version },
    contentChanges: [{ range: { start, end }, text: broken ? "x" : "" }],
  });
  const found = await answer;
  if (found.length > 0 !== broken) throw new Error(`edit ${version}: ${found.length} diagnostics`);
}

/** Processor time that the server has used, ms; Linux tells it in hundredths of a second. */
function processorTime() {
  const stat = `/proc/${server.pid}/stat`;
  if (!existsSync(stat)) return Number.NaN;
  const fields = readFileSync(stat, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

const usedBefore = processorTime();
const noop = [];
const typed = [];
say(`${edits} edits of ${lines.length} lines`);
for (let n = 0; n < edits; n += 1) {
  await pause(PAUSE);
  noop.push(await timed(() => connection.sendRequest("textDocument/hover", nowhere())));
  typed.push(await timed(() => edit(n % 2 === 0)));
}

function nowhere() {
  return { textDocument: { uri: "file:///nowhere.skrull" }, position: { line: 0, character: 0 } };
}

const used = (processorTime() - usedBefore) / edits;
await connection.sendRequest("shutdown");
await connection.sendNotification("exit");

const { analyze } = await import(pathToFileURL(join(ROOT, "dist/semantics/analyze.js")).href);
const cold = await timed(() => analyze(path, text));
const warm = [];
for (let n = 0; n < 50; n += 1) warm.push(await timed(() => analyze(path, `${text}# ${n}\n`)));
const lint = [];
for (let n = 0; n < 5; n += 1) {
  lint.push(await timed(() => spawnSync(process.execPath, [CLI, "lint", path])));
}
rmSync(folder, { recursive: true, force: true });

const quantile = (times, share) =>
  [...times].sort((a, b) => a - b)[Math.floor(share * (times.length - 1))];
const row = (name, times) =>
  `| ${name} | ${times.length} | ${quantile(times, 0.5).toFixed(1)} | ${quantile(times, 0.95).toFixed(1)} |`;
process.stdout.write(
  [
    `${cpus()[0]?.model}, Node ${process.versions.node}; ${lines.length} lines, ${text.length} characters`,
    "",
    "| | times | median, ms | 95th percentile, ms |",
    "|---|--:|--:|--:|",
    row("an edit, until its diagnostics are shown", typed),
    row("baseline: a request that does nothing, and its answer", noop),
    row("baseline: a full analysis in a warm process", warm),
    row("a full analysis, the first in its process", [cold]),
    row("opening the file in a new server, until its diagnostics", [opened]),
    row("baseline: `skrull lint` as a process", lint),
    "",
    `The server used ${used.toFixed(1)} ms of processor time for an edit (mean, garbage collection in other threads included).`,
    "",
  ].join("\n"),
);
