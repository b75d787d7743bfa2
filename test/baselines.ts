import { join } from "pathe";
import { expect } from "vitest";
import { analyzeFile } from "../src/cli/analysis.js";
import { compileCommand } from "../src/cli/compile.js";
import { lintCommand } from "../src/cli/lint.js";
import { planCommand } from "../src/cli/plan.js";
import type { Terminal } from "../src/cli/terminal.js";
import { applyFixes } from "../src/diagnostics/fixes.js";
import { formatSpec } from "../src/format/format.js";
import { decodeUtf8 } from "../src/foundation/encoding.js";
import { jsonText } from "../src/foundation/json.js";
import { sha256Of } from "../src/host/files.js";
import type { PathStatus } from "../src/host/host.js";
import { NodeHost } from "../src/host/node-host.js";
import solveTask from "../src/schedule/worker.js";

/** So that a release changes no baseline. */
const VERSION = "0";

/** One spec on its way through the compiler. */
export interface Subject {
  /** Relative to the folder of specs. */
  readonly file: string;
  readonly host: BaselineHost;
}

/** What a stage makes of a spec; `undefined` where it makes nothing, and then has no baseline. */
export type Stage = (subject: Subject) => string | undefined | Promise<string | undefined>;

/** File of the baseline to its stage. To cover another stage, add it. */
export const STAGES: Readonly<Record<string, Stage>> = {
  "tree.txt": async ({ host, file }) => {
    const { documents } = await analyzeFile(host, file);
    return `${treeLines(documents[0]?.tree).join("\n")}\n`;
  },
  "diagnostics.txt": async ({ host, file }) => {
    const plan = collecting();
    await planCommand(host, plan, {
      ...{ path: file, run: await lastRun(host, file) },
      format: "json",
      skrullVersion: VERSION,
    });
    const lint = collecting();
    await lintCommand(host, lint, [file], {
      ...{ format: "pretty", denyWarnings: false, fix: false, unsafeFixes: false },
      skrullVersion: VERSION,
    });
    const later = plan.remarks.filter((text) => !lint.results.includes(text));
    return `${lint.remarks.join("")}${lint.results.join("")}\nplan:\n${later.join("")}`;
  },
  "fixed.txt": async ({ host, file }) => {
    const { text, diagnostics } = await analyzeFile(host, file);
    const own = diagnostics.filter((found) => found.file === file);
    const fixed = applyFixes(text, own, { unsafe: true });
    return fixed === text ? undefined : fixed;
  },
  "formatted.txt": ({ file, host }) => {
    if (!file.endsWith(".skrull")) return undefined;
    const result = formatSpec(
      decodeUtf8(host.readBytes(join(host.workingFolder, file))).text,
      file,
    );
    return "text" in result ? result.text : undefined;
  },
  "plan.json": async ({ host, file }) => {
    const terminal = collecting();
    await planCommand(host, terminal, {
      ...{ path: file, run: await lastRun(host, file) },
      format: "json",
      skrullVersion: VERSION,
    });
    return terminal.results.join("") || undefined;
  },
  "emitted.txt": async ({ host, file }) => {
    await compileCommand(host, collecting(), {
      ...{ path: file, run: await lastRun(host, file) },
      ...{ out: OUT, check: false, force: false },
      skrullVersion: VERSION,
    });
    return host.written.size === 0 ? undefined : emittedText(host);
  },
};

const OUT = "run";

/** Of a file with several runs the last one stands for all. */
async function lastRun(host: BaselineHost, file: string): Promise<string | undefined> {
  return (await analyzeFile(host, file)).runs.at(-1)?.name;
}

/** Reads the real specs and data; what is written stays in memory. */
export class BaselineHost extends NodeHost {
  override readonly cacheFolder = undefined;
  readonly written = new Map<string, string | Uint8Array>();

  override status(path: string): PathStatus | undefined {
    // A run that someone compiled beside the specs is none of ours.
    return path.startsWith(`${this.workingFolder}/${OUT}`) ? undefined : super.status(path);
  }

  override writeFile(path: string, content: string | Uint8Array): void {
    this.written.set(path.slice(`${this.workingFolder}/${OUT}/`.length), content);
  }

  override async runInWorkers<Task, Result>(
    module: string,
    tasks: readonly Task[],
  ): Promise<readonly Result[]> {
    expect(module).toBe("schedule/worker.js");
    const run = solveTask as (task: unknown) => unknown;
    return tasks.map(run) as Result[];
  }
}

interface Collecting extends Terminal {
  readonly results: string[];
  readonly remarks: string[];
}

function collecting(): Collecting {
  const results: string[] = [];
  const remarks: string[] = [];
  return {
    ...{ results, remarks, colour: false },
    out: (text) => void results.push(text),
    remark: (text) => void remarks.push(text),
    progress: () => {},
  };
}

/** A tree as indented lines: a node's kind, its span, and whatever else it holds. */
function treeLines(node: unknown, name = "", indent = ""): readonly string[] {
  const label = name === "" ? "" : `${name}: `;
  if (Array.isArray(node))
    return node.flatMap((item, n) => treeLines(item, `${name}[${n}]`, indent));
  if (typeof node !== "object" || node === null)
    return node === undefined ? [] : [`${indent}${label}${JSON.stringify(node)}`];
  const { kind, start, end, ...rest } = node as Readonly<Record<string, unknown>>;
  const span = start === undefined ? "" : ` ${start}..${end}`;
  return [
    `${indent}${label}${kind ?? "body"}${span}`,
    ...Object.entries(rest).flatMap(([key, value]) => treeLines(value, key, `${indent}  `)),
  ];
}

/** Written for the run alone, and short: shown whole. Of others, that they are the same. */
const SHOWN = /^(ds_config\.json|sampler\.py|train\.py|launch\.sh|skrull\.manifest\.json)$/;
/** Copied as they are: not this spec's. */
const COPIED = /^skrull_runtime\//;

function emittedText(host: BaselineHost): string {
  const files = [...host.written].filter(([path]) => !COPIED.test(path));
  return files
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, content]) => {
      if (!SHOWN.test(path)) return `== ${path}: sha256 ${sha256Of(host, content)}\n`;
      const text = path === "skrull.manifest.json" ? ownEntries(String(content)) : String(content);
      return `== ${path}\n${text}`;
    })
    .join("");
}

function ownEntries(manifest: string): string {
  const { outputs, ...rest } = JSON.parse(manifest) as {
    readonly outputs: Readonly<Record<string, string>>;
  };
  const own = Object.keys(outputs).filter((path) => !COPIED.test(path));
  return jsonText({ ...rest, outputs: own });
}
