import { resolve } from "pathe";
import { countOf, formatCount, formatShare } from "../foundation/format.js";
import { jsonText } from "../foundation/json.js";
import { printable } from "../foundation/printable.js";
import { expandGlob, walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { type Contents, isArrayFile, LINES_OF_ARRAY, recogniseFile } from "../inputs/recognise.js";
import type { Supervision } from "../lengths/count.js";
import { loadTokenizer } from "../lengths/load-tokenizer.js";
import { type DataFile, measureFiles } from "../lengths/measure.js";
import type { FileMeasurement } from "../lengths/measurement.js";
import {
  LENGTH_THRESHOLDS,
  type LengthStatistics,
  lengthStatistics,
} from "../lengths/statistics.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { type RenderingOptions, renderingFromOptions } from "./rendering-options.js";
import { showSample } from "./show-sample.js";
import { tableLines } from "./table.js";
import { lengthProgress, type Terminal } from "./terminal.js";

export interface LengthsOptions extends RenderingOptions {
  readonly tokenizer: string;
  readonly supervise: Supervision;
  readonly format: "pretty" | "json";
  readonly out?: string;
  /** Number of a line to show instead. */
  readonly show?: number;
}

/** `skrull lengths DATA... --tokenizer PATH`: token counts of JSONL data. @throws HostError */
export async function lengthsCommand(
  host: Host,
  terminal: Terminal,
  data: readonly string[],
  options: LengthsOptions,
): Promise<ExitCode> {
  const files = data.flatMap((path) => dataFiles(host, path));
  const path = options.tokenizer;
  const tokenizer = loadTokenizer(
    host,
    path === "bytes" ? path : resolve(host.workingFolder, path),
  );
  const rendering = renderingFromOptions(host, terminal, options, tokenizer);
  const settings = { rendering, supervision: options.supervise, truncateTo: null };
  if (options.show !== undefined) {
    const counting = { tokenizer: tokenizer.tokenizer, settings };
    terminal.out(await showSample(host, files, options.show, counting, options.format));
    return EXIT.clean;
  }
  const progress = lengthProgress(terminal, () => host.now());
  const measurements = await measureFiles(host, files, tokenizer, settings, progress);
  terminal.progress("");
  if (options.out !== undefined) {
    const lines = measurements.flatMap(({ length }) => length.map((n) => `${n}\n`));
    host.writeFile(resolve(host.workingFolder, options.out), lines.join(""));
  }
  const report = lengthsReport(files, measurements, tokenizer.sha256);
  if (options.format === "json") terminal.out(jsonText(report));
  else terminal.out(prettyReport(report, await unreadFiles(host, files, measurements)));
  return measurements.some((m) => m.malformedLines > 0) ? EXIT.findings : EXIT.clean;
}

function dataFiles(host: Host, path: string): readonly DataFile[] {
  const absolute = resolve(host.workingFolder, path);
  const kind = host.status(absolute)?.kind;
  const found =
    kind === "folder"
      ? [...walk(host, absolute)].filter((f) => f.endsWith(".jsonl")).map((f) => `${path}/${f}`)
      : kind === "file"
        ? [path]
        : expandGlob(host, host.workingFolder, path);
  if (found.length === 0) throw new HostError(path, "no JSONL file there");
  return found.map((name) => ({ name, path: resolve(host.workingFolder, name) }));
}

interface LengthsReport {
  readonly format_version: 1;
  readonly tokenizer_sha256: string;
  readonly files: readonly {
    readonly file: string;
    readonly sha256: string;
    readonly lengths: readonly number[];
    readonly supervised: readonly number[];
    readonly malformed: {
      readonly count: number;
      readonly first: FileMeasurement["malformed"];
    };
  }[];
  readonly total: LengthStatistics & { readonly malformed_lines: number };
}

function lengthsReport(
  files: readonly DataFile[],
  measurements: readonly FileMeasurement[],
  tokenizerSha256: string,
): LengthsReport {
  const malformed = measurements.reduce((sum, m) => sum + m.malformedLines, 0);
  const statistics = lengthStatistics(
    measurements.flatMap((m) => m.length),
    measurements.flatMap((m) => m.supervised),
  );
  return {
    format_version: 1,
    tokenizer_sha256: tokenizerSha256,
    files: measurements.map((m, n) => ({
      file: files[n]?.name ?? "",
      sha256: m.sha256,
      lengths: m.length,
      supervised: m.supervised,
      malformed: { count: m.malformedLines, first: m.malformed },
    })),
    total: { ...statistics, malformed_lines: malformed },
  };
}

/** Of each file that is an array or has no line that can be read, what it seems to hold. */
async function unreadFiles(
  host: Host,
  files: readonly DataFile[],
  measurements: readonly FileMeasurement[],
): Promise<ReadonlyMap<string, string>> {
  const answers = new Map<string, string>();
  for (const [n, { name, path }] of files.entries()) {
    const { length = [], malformedLines = 0 } = measurements[n] ?? {};
    if (malformedLines === 0) continue;
    if (await isArrayFile(host, path, length.length)) answers.set(name, LINES_OF_ARRAY);
    else if (length.length === 0)
      answers.set(name, `no line can be read: ${layoutAdvice(await recogniseFile(host, path))}`);
  }
  return answers;
}

function layoutAdvice(contents: Contents): string {
  if (contents === "unknown" || contents === "array")
    return "choose another --data-format, or name its columns by --column";
  const { format, columns } = contents;
  const names = Object.entries(columns).map(([key, name]) => ` --column ${key}=${name}`);
  return `it looks like --data-format ${format}${names.join("")}`;
}

/** @param unread what to say of a file besides its first malformed line */
function prettyReport(
  { files, total }: LengthsReport,
  unread: ReadonlyMap<string, string>,
): string {
  const malformed = files.flatMap(({ file, malformed: { first, count } }) => {
    const name = printable(file);
    const advice = unread.get(file);
    const shown = advice === undefined ? first : first.slice(0, 1);
    const rest = count - shown.length;
    return [
      ...shown.map(({ line, reason }) => `${name}:${line}: ${reason}`),
      ...(rest > 0 ? [`${name}: and ${countOf(rest, "more malformed line")}`] : []),
      ...(advice === undefined ? [] : [`${name}: ${advice}`]),
    ];
  });
  if (total.samples === 0 && unread.size > 0) return `${malformed.join("\n")}\n`;
  const rows = [
    ["samples", formatCount(total.samples)],
    ["malformed lines", formatCount(total.malformed_lines)],
    ["tokens", formatCount(total.tokens)],
    ["supervised tokens", formatCount(total.supervised_tokens)],
    ["median length", formatCount(total.median)],
    ["90th percentile", formatCount(total.p90)],
    ["99th percentile", formatCount(total.p99)],
    ["longest", formatCount(total.longest)],
    ...LENGTH_THRESHOLDS.map((limit) => [
      `shorter than ${limit / 1024}K`,
      formatShare(total.share_below[String(limit)] ?? 0),
    ]),
  ];
  return `${[...malformed, ...tableLines(rows, "")].join("\n")}\n`;
}
