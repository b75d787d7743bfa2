import { resolve } from "pathe";
import { EngineError } from "../engine/engine.js";
import { jsonText } from "../foundation/json.js";
import { printable } from "../foundation/printable.js";
import type { Supervise } from "../foundation/vocabularies.generated.js";
import { type Host, HostError } from "../host/host.js";
import { namedFiles } from "../inputs/hub.js";
import { type Counting, type DataFile, fillStore, measureFiles } from "../lengths/measure.js";
import { readTokenizer } from "../lengths/tokenizer.js";
import { BYTES_TOKENIZER, decisiveFiles } from "../lengths/tokenizer-files.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { lengthsReport, prettyLengths } from "./lengths-report.js";
import { countingOfSpec, type LengthsTask } from "./lengths-spec.js";
import { type RenderingOptions, renderingFromOptions } from "./rendering-options.js";
import { showSamples, type Which } from "./show-sample.js";
import { SPECS } from "./spec-paths.js";
import { lengthProgress, type Terminal } from "./terminal.js";

export interface LengthsOptions extends RenderingOptions {
  readonly tokenizer?: string;
  readonly supervise: Supervise;
  readonly format: "pretty" | "json";
  readonly run?: string;
  readonly skrullVersion: string;
  readonly out?: string;
  /** Rows to show instead. */
  readonly show?: Which;
  /** Which of several machines this is, that fill the token store together. */
  readonly part?: readonly [number, number];
}

/** `skrull lengths DATA... --tokenizer PATH` and `skrull lengths SPEC`. @throws HostError @throws EngineError */
export async function lengthsCommand(
  host: Host,
  terminal: Terminal,
  data: readonly string[],
  options: LengthsOptions,
): Promise<ExitCode> {
  const task = await taskOf(host, terminal, data, options);
  if (!task) return EXIT.findings;
  const { files, counting, tokenizerSha256 } = task;
  if (options.show !== undefined) {
    const [file, another] = files;
    if (!file || another) throw new HostError("--show", "shows rows of one file");
    return show(host, terminal, { file, which: options.show, counting, format: options.format });
  }
  if (options.part) {
    if (host.cacheFolder === undefined)
      throw new HostError("SKRULL_CACHE", "is empty, so there is no store to fill");
    await fillStore(host, files, counting, options.part);
    terminal.progress("");
    return EXIT.clean;
  }
  const measured = await measureFiles(host, files, counting);
  terminal.progress("");
  if (options.out !== undefined) {
    const lines = measured.files.flatMap(({ length }) => Array.from(length, (n) => `${n}\n`));
    host.writeFile(resolve(host.workingFolder, options.out), lines.join(""));
  }
  for (const [text, count] of measured.facts.ends) {
    if (count > 1 && counting.tokenizer !== BYTES_TOKENIZER)
      terminal.remark(
        `warning: the tokenizer splits ${printable(JSON.stringify(text))}, which ends an answer, into ${count} tokens\n`,
      );
  }
  const report = lengthsReport(files, measured, tokenizerSha256);
  terminal.out(options.format === "json" ? jsonText(report) : prettyLengths(report));
  return measured.files.some((m) => m.malformedLines > 0) ? EXIT.findings : EXIT.clean;
}

/** What is refused is a finding, in the format that was asked for. */
async function show(
  host: Host,
  terminal: Terminal,
  {
    file,
    which,
    counting,
    format,
  }: {
    readonly file: DataFile;
    readonly which: Which;
    readonly counting: Counting;
    readonly format: LengthsOptions["format"];
  },
): Promise<ExitCode> {
  try {
    terminal.out(await showSamples(host, file, which, counting, format));
    return EXIT.clean;
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind !== "user") throw error;
    const { message } = error;
    if (format === "json")
      terminal.out(jsonText({ format_version: 1, error: { code: "row-refused", message } }));
    else terminal.remark(`error: ${printable(message)}\n`);
    return EXIT.findings;
  }
}

async function taskOf(
  host: Host,
  terminal: Terminal,
  data: readonly string[],
  options: LengthsOptions,
): Promise<LengthsTask | undefined> {
  const progress = lengthProgress(terminal, () => host.now());
  const [first = "", ...more] = data;
  if (SPECS.test(first)) {
    if (more.length > 0) throw new HostError(more[0] ?? "", "a spec already names its data");
    return countingOfSpec(host, terminal, first, {
      run: options.run,
      progress,
      skrullVersion: options.skrullVersion,
    });
  }
  const { tokenizer: path } = options;
  if (path === undefined) throw new HostError("--tokenizer", "name the tokenizer to count with");
  const folder = host.workingFolder;
  const tokenizer = readTokenizer(host, path === BYTES_TOKENIZER ? path : resolve(folder, path));
  const rendering = renderingFromOptions(host, terminal, options, tokenizer);
  const settings = { rendering, supervision: options.supervise, truncateTo: null };
  const files = decisiveFiles(tokenizer.files);
  const request = { key: JSON.stringify([tokenizer.sha256, settings]), files };
  const counting = { tokenizer: tokenizer.path, settings, request, folder, progress };
  const found = await namedFiles(host, folder, data, true);
  return { files: found, counting, tokenizerSha256: tokenizer.sha256 };
}
