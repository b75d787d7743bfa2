import { minimatch } from "minimatch";
import { dirname, relative, resolve } from "pathe";
import { CATALOGUE, type DiagnosticCode } from "../diagnostics/catalogue.js";
import { boundDiagnostics, type Diagnostic } from "../diagnostics/diagnostic.js";
import type { Host } from "../host/host.js";
import type { Analysis } from "../semantics/analyze.js";
import type { Configuration } from "./configuration.js";
import { levelNeeded, lintRules } from "./lint-rules.js";
import { ConfigurationLoader } from "./load-configuration.js";
import { loadSubject } from "./load-subject.js";
import { RULES } from "./rules/index.generated.js";
import { suppress } from "./suppressions.js";

export interface Linted<File extends Analysis> {
  /** With all that lint has to say in place of the checker's diagnostics. */
  readonly analysis: File;
  /** Diagnostics that comments suppressed. */
  readonly suppressed: number;
}

/** A text that diagnostics may point into. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** Lints files under the configurations that hold for them. */
export class Linter {
  readonly #configurations: ConfigurationLoader;
  readonly #sources = new Map<string, Source>();
  readonly #found = new Map<string, readonly Diagnostic[]>();

  constructor(private readonly host: Host) {
    this.#configurations = new ConfigurationLoader(host);
  }

  /** Adds what the rules find, and leaves out what comments suppress. @throws HostError */
  async lint<File extends Analysis>(analysis: File): Promise<Linted<File>> {
    const { file, text } = analysis;
    const configuration = await this.#configuration(file);
    const found = [...analysis.diagnostics];
    const judged = new Set(CHECKED);
    const { spec, origins } = analysis;
    if (spec) {
      const checked = { file, text, spec, origins };
      const subject = await loadSubject(this.host, checked, levelNeeded(configuration));
      const result = lintRules(subject, configuration);
      found.push(...result.diagnostics);
      for (const code of result.judged) judged.add(code);
    }
    // Without a sound spec no rule has looked, and nobody knows which suppressions are needed.
    const left = suppress(file, text, found, spec ? judged : new Set());
    const diagnostics = boundDiagnostics(left.diagnostics);
    return { analysis: { ...analysis, diagnostics }, suppressed: left.count };
  }

  /** Whether the configuration leaves a file out where a folder is linted. @throws HostError */
  async excludes(file: string): Promise<boolean> {
    const { exclude, folder } = await this.#configuration(file);
    const path = relative(folder, resolve(this.host.workingFolder, file));
    return exclude.some((pattern) => minimatch(path, pattern, { nocomment: true, nonegate: true }));
  }

  /** What is wrong with the configurations that were met, each told once. */
  get diagnostics(): readonly Diagnostic[] {
    return [...this.#found.values()].flat();
  }

  /** The configurations themselves. */
  get sources(): readonly Source[] {
    return [...this.#sources.values()];
  }

  async #configuration(file: string): Promise<Configuration> {
    const folder = dirname(resolve(this.host.workingFolder, file));
    const { configuration, diagnostics, source } = await this.#configurations.of(folder);
    if (source) {
      this.#sources.set(source.file, source);
      this.#found.set(source.file, diagnostics);
    }
    return configuration;
  }
}

const RULE_CODES = new Set<DiagnosticCode>(RULES.map(({ code }) => code));
/** Warnings that need the data itself: only `plan` finds them. */
const OF_DATA: readonly DiagnosticCode[] = ["malformed-data-tolerated"];

/** What the checker can find besides errors, in every file. */
const CHECKED: readonly DiagnosticCode[] = (Object.keys(CATALOGUE) as DiagnosticCode[]).filter(
  (code) =>
    CATALOGUE[code].severity === "warning" && !RULE_CODES.has(code) && !OF_DATA.includes(code),
);
