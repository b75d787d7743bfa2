import { dirname, relative, resolve } from "pathe";
import { CATALOGUE } from "../diagnostics/catalogue.js";
import { hasErrors } from "../diagnostics/diagnostic.js";
import { jsonText } from "../foundation/json.js";
import { printable } from "../foundation/printable.js";
import { type Host, HostError } from "../host/host.js";
import { leavesOut } from "../lint/configuration.js";
import {
  type ConfigurationLayer,
  ConfigurationLoader,
  type LoadedConfiguration,
} from "../lint/load-configuration.js";
import { RULES } from "../lint/rules/index.generated.js";
import { showDiagnostics } from "./analysis.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import type { Terminal } from "./terminal.js";

export interface PrintConfigOptions {
  readonly format: "pretty" | "json";
  readonly skrullVersion: string;
}

/** Where a value comes from that no file sets. */
const DEFAULT = "default";

interface Sourced<Value> {
  readonly value: Value;
  /** A configuration's file, or `default`. */
  readonly from: string;
}

interface EffectiveRule {
  readonly code: string;
  readonly level: Sourced<string>;
  readonly options: readonly (Sourced<number> & { readonly name: string })[];
}

/** `skrull lint --print-config FILE`: what holds for a file, and where each part of it comes from. @throws HostError */
export async function printConfigCommand(
  host: Host,
  terminal: Terminal,
  file: string,
  { format, skrullVersion }: PrintConfigOptions,
): Promise<ExitCode> {
  const path = resolve(host.workingFolder, file);
  const kind = host.status(path)?.kind;
  if (kind !== "file") throw new HostError(file, kind ? "is not a file" : "no such file");
  const loaded = await new ConfigurationLoader(host).of(dirname(path));
  const shown = effective(host, path, loaded);
  const { layers } = loaded;
  const diagnostics = layers.flatMap((layer) => layer.diagnostics);
  if (format === "json") terminal.out(jsonText({ format_version: 1, ...shown, diagnostics }));
  else {
    terminal.out(prettyText(shown));
    const options = { format, colour: terminal.colour, skrullVersion } as const;
    if (diagnostics.length > 0) terminal.out(`\n${showDiagnostics(layers, diagnostics, options)}`);
  }
  return hasErrors(diagnostics) ? EXIT.findings : EXIT.clean;
}

function effective(
  host: Host,
  path: string,
  { configuration: { exclude }, layers, project }: LoadedConfiguration,
) {
  const shownPath = (absolute: string) => relative(host.workingFolder, absolute) || ".";
  return {
    file: shownPath(path),
    project: { folder: shownPath(project.folder), because: project.because },
    /** The outermost first. */
    configurations: layers.map(({ file }) => file),
    excluded: exclude.some((one) => leavesOut(one, path)),
    exclude: layers.flatMap(({ file, configuration }) =>
      configuration.exclude.map(({ pattern }) => ({ value: pattern, from: file })),
    ),
    rules: RULES.map((rule) => effectiveRule(rule, layers)),
  };
}

function effectiveRule(
  { code, options }: (typeof RULES)[number],
  layers: readonly ConfigurationLayer[],
): EffectiveRule {
  const settings = layers.map(({ file, configuration }) => ({
    file,
    setting: configuration.rules.get(code),
  }));
  const leveled = settings.findLast(({ setting }) => setting?.level !== undefined);
  return {
    code,
    level: {
      value: leveled?.setting?.level ?? CATALOGUE[code].severity,
      from: leveled?.file ?? DEFAULT,
    },
    options: Object.entries(options).map(([name, option]) => {
      const found = settings.findLast(({ setting }) => setting?.options[name] !== undefined);
      const value = found?.setting?.options[name] ?? option.default;
      return { name, value, from: found?.file ?? DEFAULT };
    }),
  };
}

function prettyText(shown: ReturnType<typeof effective>): string {
  const { file, project, configurations, exclude, excluded, rules } = shown;
  const head = [
    ["file", file],
    ["project", `${project.folder}, ${project.because}`],
    ["read", configurations.length === 0 ? "nothing" : configurations.join(", then ")],
    ...exclude.map(({ value, from }) => ["exclude", value, from]),
    ["left out", excluded ? "yes, when its folder is linted or with --force-exclude" : "no"],
  ];
  const settings = rules.flatMap(({ code, level, options }) => [
    [code, level.value, level.from],
    ...options.map(({ name, value, from }) => [`  ${name}`, String(value), from]),
  ]);
  return `${[...columns(head), "", ...columns(settings)].map(printable).join("\n")}\n`;
}

/** Rows whose cells line up, all of them on the left. */
function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (n: number) =>
    Math.max(...rows.map((row) => (row.length > n + 1 ? (row[n] ?? "").length : 0)));
  const widths = [width(0), width(1)];
  return rows.map((row) =>
    row
      .map((cell, n) => (n === row.length - 1 ? cell : cell.padEnd(widths[n] as number)))
      .join("  "),
  );
}
