import { dirname, resolve } from "pathe";
import { CATALOGUE, type DiagnosticCode, type Entries } from "../diagnostics/catalogue.js";
import { boundDiagnostics, type Diagnostic, withoutRepeats } from "../diagnostics/diagnostic.js";
import { FILE_START } from "../foundation/text.js";
import type { Host } from "../host/host.js";
import type { Analysis, RunAnalysis } from "../semantics/analyze.js";
import type { RunFindings } from "../semantics/name-runs.js";
import { Origins } from "../semantics/report.js";
import { acrossRuns } from "./across-runs.js";
import { commentsOf } from "./comments.js";
import { type Configuration, leavesOut } from "./configuration.js";
import { type LintResult, levelNeeded, lintRules } from "./lint-rules.js";
import { ConfigurationLoader } from "./load-configuration.js";
import { loadSubject } from "./load-subject.js";
import { RULES } from "./rules/index.generated.js";
import type { Source } from "./subject.js";
import { leftBy, suppress } from "./suppressions.js";

/** Lints files under the configurations that hold for them. */
export class Linter {
  readonly #configurations: ConfigurationLoader;
  readonly #sources = new Map<string, Source>();
  readonly #found = new Map<string, readonly Diagnostic[]>();

  constructor(private readonly host: Host) {
    this.#configurations = new ConfigurationLoader(host);
  }

  /** The analysis with all that lint has to say in place of the checker's diagnostics. @throws HostError */
  async lint(analysis: Analysis): Promise<Analysis> {
    const { file, text, documents } = analysis;
    const configuration = await this.#configuration(file);
    const results = await this.#results(analysis, configuration);
    const found = [...analysis.diagnostics, ...acrossRuns(results)];
    // Without a sound spec most rules have not looked, and nobody knows which suppressions are needed.
    const sound = analysis.runs.some(({ spec }) => spec);
    const judged = new Set(sound ? CHECKED : []);
    for (const result of results) for (const code of result.judged) if (sound) judged.add(code);
    for (const { code } of STRICTER_IN_PLANS) judged.delete(code);
    const left = await leftBy(documents.slice(1), withoutRepeats(found));
    const own = suppress({ file, text }, left, judged, await commentsOf({ file, text }));
    return { ...analysis, diagnostics: boundDiagnostics([...own.kept, ...own.problems]) };
  }

  /** What the rules say of one run, and those that judged it or are off: what they cover is theirs to say. @throws HostError */
  async ofRun(analysis: Analysis, run: RunAnalysis): Promise<LintResult> {
    const configuration = await this.#configuration(analysis.file);
    const results = await this.#results({ ...analysis, runs: [run] }, configuration);
    const found = withoutRepeats(results.flatMap(({ diagnostics }) => diagnostics));
    const off = RULES.filter(({ code }) => configuration.rules.get(code)?.level === "off");
    const judged = [...off.map(({ code }) => code), ...results.flatMap((r) => [...r.judged])];
    return {
      diagnostics: await leftBy(analysis.documents, found),
      judged: new Set(judged),
    };
  }

  /** Of the file, and of every sound spec in it. */
  async #results(
    { file, text, documents, symbols, runs }: Analysis,
    configuration: Configuration,
  ): Promise<readonly (LintResult & RunFindings)[]> {
    const level = levelNeeded(configuration);
    const whole = { file, text, documents };
    const [document] = documents;
    const sound = runs.some(({ spec }) => spec);
    const names = sound && document ? { document, documents, symbols } : undefined;
    const nowhere = new Origins({ file, range: FILE_START });
    const ofFile = lintRules({ ...whole, names }, configuration, OF_FILE);
    const results: (LintResult & RunFindings)[] = [{ ...ofFile, origins: nowhere }];
    for (const { name, spec, origins } of runs) {
      if (!spec || !names) continue;
      const subject = { ...whole, names, spec, origins };
      const known = await loadSubject(this.host, subject, level);
      results.push({ ...lintRules(known, configuration, OF_SPEC), origins, name });
    }
    return results;
  }

  /** Whether the configuration leaves a file out where a folder is linted. @throws HostError */
  async excludes(file: string): Promise<boolean> {
    const { exclude } = await this.#configuration(file);
    const path = resolve(this.host.workingFolder, file);
    return exclude.some((one) => leavesOut(one, path));
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
    const { configuration, layers } = await this.#configurations.of(folder);
    for (const layer of layers) {
      this.#sources.set(layer.file, layer);
      this.#found.set(layer.file, layer.diagnostics);
    }
    return configuration;
  }
}

/** What is the same for every run of a file is looked at once. */
const [OF_FILE, OF_SPEC] = [
  RULES.filter(({ needs }) => needs === "text" || needs === "names"),
  RULES.filter(({ needs }) => needs !== "text" && needs !== "names"),
];
const RULE_CODES = new Set<DiagnosticCode>(RULES.map(({ code }) => code));
const STRICTER_IN_PLANS = RULES.filter(({ stricterInPlans }) => stricterInPlans);
const ENTRIES: Entries = CATALOGUE;

/** What the checker can find besides errors, in every file. */
const CHECKED: readonly DiagnosticCode[] = (Object.keys(ENTRIES) as DiagnosticCode[]).filter(
  (code) =>
    ENTRIES[code]?.severity !== "error" && !RULE_CODES.has(code) && !ENTRIES[code]?.planOnly,
);
