import { join, relative, resolve } from "pathe";
import { emitRun, type FileTemplates, RUNTIME_FOLDER, TEMPLATED_FILES } from "../emit/emit-run.js";
import { printable } from "../foundation/printable.js";
import { readText, sha256Of, walk } from "../host/files.js";
import type { Host } from "../host/host.js";
import type { Schedule } from "../schedule/schedule.js";
import { differences, editedFiles, type RunFolder, writeRun } from "../writer/write-run.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { nextSteps } from "./next-steps.js";
import { planSchedules } from "./plan-schedules.js";
import { type PlannedSpec, planFile, type SpecRequest } from "./spec-file.js";
import type { Terminal } from "./terminal.js";

export interface CompileOptions extends SpecRequest {
  readonly out: string;
  readonly check: boolean;
  readonly force: boolean;
}

/** `skrull compile SPEC --out DIR`. @throws HostError */
export async function compileCommand(
  host: Host,
  terminal: Terminal,
  options: CompileOptions,
): Promise<ExitCode> {
  const { result: planned } = await planFile(host, terminal, {
    ...options,
    checkModel: !options.check,
  });
  if (!planned) return EXIT.findings;
  const folder = resolve(host.workingFolder, options.out);
  const dataRoot = rootSeenFrom(folder, planned.folder);
  const schedules = await planSchedules(host, terminal, planned.plan, lengthsOf(planned));
  if (!schedules.ok) {
    terminal.remark(`error: ${printable(schedules.problem)}\n`);
    return EXIT.findings;
  }
  const run = runFolder(host, planned, folder, {
    dataRoot,
    schedules: schedules.schedules,
  });
  if (options.check) return check(host, terminal, run, options.out);
  const edited = options.force ? [] : editedFiles(host, run);
  if (edited.length > 0) {
    terminal.remark(
      `error: nothing written, because these files in ${printable(options.out)} were changed since skrull wrote them:\n` +
        `${edited.map((file) => `  ${printable(file)}\n`).join("")}` +
        "Move your changes into the spec, or overwrite them with --force.\n",
    );
    return EXIT.findings;
  }
  writeRun(host, run);
  terminal.out(`wrote ${run.files.length + 1} files to ${printable(options.out)}\n`);
  terminal.out(
    nextSteps(planned.plan, options.out, dataRoot === null ? planned.folder : undefined),
  );
  return EXIT.clean;
}

function check(host: Host, terminal: Terminal, run: RunFolder, out: string): ExitCode {
  const found = differences(host, run);
  if (found.length === 0) {
    terminal.out(`${printable(out)} is up to date\n`);
    return EXIT.clean;
  }
  for (const { path, kind } of found) terminal.out(`${kind}: ${printable(path)}\n`);
  terminal.out(`${printable(out)} is out of date; compile again\n`);
  return EXIT.findings;
}

/**
 * The spec's folder as a path relative to the run's. Where they have only the file system's root in common, such a
 * path would be an absolute one in disguise: it is left to the environment.
 */
function rootSeenFrom(runFolder: string, specFolder: string): string | null {
  const [, first] = resolve(runFolder).split("/");
  const [, other] = resolve(specFolder).split("/");
  return first === other ? relative(runFolder, specFolder) || "." : null;
}

function runFolder(
  host: Host,
  spec: PlannedSpec,
  folder: string,
  {
    dataRoot,
    schedules,
  }: {
    readonly dataRoot: string | null;
    readonly schedules: readonly Schedule[] | undefined;
  },
): RunFolder {
  const { plan, inputs, texts } = spec;
  const sha256 = (bytes: Uint8Array | string) => sha256Of(host, bytes);
  const asset = (name: string) => readText(host, host.assetPath(name));
  const tokenizerFiles = Object.entries(inputs.tokenizer.files).map(
    ([name, path]) => [name, host.readBytes(path)] as const,
  );
  const files = emitRun({
    plan,
    index: inputs.data.index,
    evaluation: inputs.evaluation?.index,
    dataRoot,
    modelConfig: inputs.modelConfig,
    tokenizerFiles: Object.fromEntries(tokenizerFiles),
    runtime: runtimeFiles(host),
    fileTemplates: Object.fromEntries(
      TEMPLATED_FILES.map(({ path }) => [path, asset(`templates/${path}.hbs`)]),
    ) as FileTemplates,
    sha256,
    planned: schedules && { schedules, lengths: lengthsOf(spec), sha256 },
    deepspeedSchema: JSON.parse(asset("schemas/deepspeed-config.schema.json")),
  });
  const specs = Object.entries(texts).map(([name, text]) => [name, sha256Of(host, text)]);
  const inputHashes = { ...Object.fromEntries(specs), ...inputs.sources };
  return { folder, files, skrullVersion: plan.skrull_version, inputs: inputHashes };
}

const lengthsOf = ({ inputs }: PlannedSpec): readonly number[] => inputs.data.index.samples.length;

function runtimeFiles(host: Host): Readonly<Record<string, string>> {
  const root = host.assetPath(`python/${RUNTIME_FOLDER}`);
  const names = [...walk(host, root)].filter((name) => /\.(py|json)$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readText(host, join(root, name))]));
}
