import { GPU_NAMES, SMALL_MODEL } from "../catalogue/names.js";
import type { Diagnostic, Extra, Place } from "../diagnostics/diagnostic.js";
import { boundDiagnostics, hasErrors } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../foundation/suggest.js";
import { LANGUAGE, type Spec } from "../language/language.js";
import { counterpartOf } from "../language/other-tools.js";
import { type Block, defaultOf } from "../language/types.js";
import type { BlockNode, FileNode, NameNode, Span, ValueNode } from "../syntax/tree.js";
import type { CheckContext } from "./check-context.js";
import { type CheckedBlocks, checkMeaning } from "./check-meaning.js";
import { checkProperties, reportMisplaced } from "./check-properties.js";
import { type Composition, compose, isBlock, isChosen, isReference, runsOf } from "./compose.js";
import { type DocumentReader, readDocument, type SourceDocument } from "./document.js";
import { placed } from "./elsewhere.js";
import { Evaluator } from "./evaluate.js";
import { otherWord } from "./fixes.js";
import { anyBroken, type Loader, loadImports } from "./imports.js";
import { blockAtEnd } from "./insert.js";
import { type Layer, type Stack, withBases } from "./layers.js";
import { type RunFindings, runNamer } from "./name-runs.js";
import { blockPlaceholder } from "./placeholders.js";
import { Findings, Origins, Report } from "./report.js";
import { RUN, Scope } from "./scope.js";
import { Symbols, type SymbolUse } from "./symbols.js";
import { checkVersion, keyAdvice, VERSION } from "./version.js";

export interface Analysis {
  readonly file: string;
  /** For code frames. */
  readonly text: string;
  /** This file first, then everything that it imports. */
  readonly documents: readonly SourceDocument[];
  /** What the file says to train: one spec, or one for each `run`; nothing in a file that only declares names. */
  readonly runs: readonly RunAnalysis[];
  /** Named blocks, constants and runs, and where they are used. */
  readonly symbols: readonly SymbolUse[];
  readonly diagnostics: readonly Diagnostic[];
  /** An import in YAML could not be read for want of a reader: analyse again with one. */
  readonly wantsYaml: boolean;
}

/** One spec of a file. */
export interface RunAnalysis {
  /** Absent for a file that is one spec. */
  readonly name?: string;
  /** Present only where no error was found in the file. */
  readonly spec?: Spec;
  readonly origins: Origins;
}

export interface AnalyzeOptions {
  /** Reads what the spec imports; without it, nothing can be imported. */
  readonly load?: Loader | undefined;
  /** Reads files in YAML or JSON. */
  readonly yaml?: DocumentReader | undefined;
}

interface CheckedStack {
  readonly values: unknown;
  readonly origins: Origins;
  readonly diagnostics: readonly Diagnostic[];
}

type CheckedRun = RunAnalysis & RunFindings;

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;
const GPU_MODEL: keyof Spec = "gpu_model";
const START: Span = { start: 0, end: 0 };

/** Checks a spec, from text to meaning. Never throws: every mistake is a diagnostic. */
export function analyze(file: string, text: string, options: AnalyzeOptions = {}): Analysis {
  return new Analyzer(file, text, options).analysis();
}

class Analyzer {
  readonly #root: SourceDocument;
  readonly #documents: readonly SourceDocument[];
  readonly #wantsYaml: boolean;
  readonly #report: Report;
  readonly #symbols = new Symbols();
  readonly #scope: Scope;
  readonly #evaluator: Evaluator;
  /** Keys that stand where blocks do. */
  readonly #mistaken = new Set<string>();
  readonly #checked = new Map<Stack, CheckedStack>();
  readonly #chosenStacks = new Map<BlockNode, Stack>();

  constructor(file: string, text: string, { load, yaml }: AnalyzeOptions) {
    this.#root = readDocument(file, text, ".", yaml);
    this.#report = new Report(this.#root, new Findings());
    const loaded = loadImports(this.#root, load, yaml, this.#report);
    this.#documents = loaded.documents;
    this.#wantsYaml = loaded.wantsYaml;
    const broken = this.#wantsYaml || anyBroken(this.#documents) || this.#report.findings.count > 0;
    const lacksImports = this.#wantsYaml || this.#report.findings.count > 0;
    this.#scope = new Scope(this.#documents, this.#symbols, this.#report, broken, lacksImports);
    this.#evaluator = new Evaluator(this.#scope);
  }

  analysis(): Analysis {
    const { file, text, tree, diagnostics: syntax } = this.#root;
    checkVersion(tree, this.#report, hasErrors(syntax));
    this.#checkStatements(tree);
    this.#evaluator.checkAll(this.#report);
    this.#checkNamedBlocks(tree);
    const checked = isLibrary(tree) ? [] : this.#runs(tree);
    const found = this.#report.findings.diagnostics.map(runNamer(checked));
    const diagnostics = boundDiagnostics([...syntax, ...found]);
    const sound = !hasErrors(diagnostics) && !this.#wantsYaml;
    const all: readonly RunAnalysis[] = checked.map(({ diagnostics: _, ...run }) => run);
    const runs = sound ? all : all.map(({ spec: _, ...run }) => run);
    const documents = this.#documents;
    const symbols = this.#symbols.all();
    return { file, text, documents, runs, symbols, diagnostics, wantsYaml: this.#wantsYaml };
  }

  /** What stands at the top of the file, and in its runs, without being a block. */
  #checkStatements(tree: FileNode): void {
    for (const block of tree.blocks) {
      const name = block.name.text;
      if (name !== RUN && !isBlock(name)) this.#unknownBlock(block.name);
      else if (isChosen(name) && !block.given) this.#reportUnnamed(block.name);
    }
    this.#checkEntries(tree.entries);
    for (const run of runsOf(tree)) {
      reportMisplaced(run.body, this.#report);
      this.#checkEntries(run.body.entries);
      if (!run.given) this.#report.at("missing-name", { what: RUN }, run.name);
      if (run.label) this.#report.at("unexpected-label", { name: RUN }, run.label);
      for (const { name, given } of run.body.blocks) {
        if (name.text === RUN) this.#report.at("misplaced-statement", { what: "a run" }, name);
        else if (!isBlock(name.text)) this.#unknownBlock(name);
        else if (isChosen(name.text))
          this.#report.at("misplaced-statement", { what: `a ${name.text}` }, name);
        else if (given) this.#report.at("misplaced-statement", { what: "a named block" }, given);
      }
    }
  }

  #reportUnnamed(name: NameNode): void {
    const what = name.text;
    const help = `Write named: { ${what}: { first: { ... } } }.`;
    this.#report.at("missing-name", { what }, name, this.#report.isYaml ? { help } : {});
  }

  #checkEntries(entries: FileNode["entries"]): void {
    for (const entry of entries) {
      if (isChosen(entry.key.text) && isReference(entry)) this.#reportChosen(entry.key);
      // Without a value the parser has already said what is wrong.
      if (isReference(entry) || !entry.value) continue;
      // A version in the wrong place has been reported for the '=' that it lacks.
      if (entry.key.text === VERSION && this.#scope.broken) continue;
      this.#mistaken.add(entry.key.text);
      const found = `the key '${entry.key.text}'`;
      const extra = isBlock(entry.key.text)
        ? this.#meantBlock(entry.key, entry.value)
        : { help: this.#placeOf(entry.key.text) ?? keyAdvice(entry.key.text) };
      this.#report.at("unexpected-token", { expected: "a block", found }, entry.key, extra);
    }
  }

  /** `gpu_model = mine`: another key says which one it is. */
  #reportChosen(key: NameNode): void {
    const [block, name] = BLOCKS[key.text]?.chosenBy?.split(".") ?? [];
    const { signs } = this.#report;
    const help = `Write ${block}${signs.block} { ${name}${signs.key} NAME }.`;
    const found = `the key '${key.text}'`;
    this.#report.at("unexpected-token", { expected: "a block", found }, key, { help });
  }

  /** `cluster = node { ... }` and `model = "NAME"`, as the language writes them. */
  #meantBlock(key: NameNode, value: ValueNode): Extra {
    const name = key.text;
    if (value.kind === "tagged") {
      const help = `Write ${name} extends ${value.tag.text} { ... }.`;
      if (this.#report.isYaml) return { help };
      const sign = { start: key.end, end: value.tag.start };
      return { help, fix: this.#report.replacement("Write extends", sign, " extends ") };
    }
    if (value.kind === "string" && BLOCKS[name]?.label !== undefined)
      return { help: `Write ${name} ${this.#report.written(value)} { ... }.` };
    return {
      help: `Write ${name}${this.#report.signs.block} { ... }, or the name of a block that is declared elsewhere.`,
    };
  }

  /** Where a name that stands at the top has its place. */
  #placeOf(name: string): string | undefined {
    const found = counterpartOf(name);
    return found && placed(found, this.#report);
  }

  #unknownBlock(name: NameNode): void {
    const known = Object.keys(BLOCKS);
    const { at = "" } = counterpartOf(name.text) ?? {};
    const near = isBlock(at) ? at : didYouMean(name.text, known);
    const help = near === undefined ? this.#placeOf(name.text) : `Did you mean ${near}?`;
    const fix = near && otherWord(name, near, this.#report, `Rename to ${near}`);
    this.#report.at("unknown-block", { name: name.text }, name, {
      help: help ?? `The blocks are ${known.join(", ")}.`,
      ...(fix ? { fix } : {}),
    });
  }

  /** Named blocks of this file, whether or not a run uses them; what they lack, what extends them may have. */
  #checkNamedBlocks(tree: FileNode): void {
    const start = this.#report.place(START);
    for (const node of tree.blocks) {
      if (!node.given || !isBlock(node.name.text)) continue;
      if (node.name.text === GPU_MODEL && GPU_NAMES.includes(node.given.text))
        this.#report.at("name-of-catalogue", { name: node.given.text }, node.given);
      const { layers } = withBases({ node, document: this.#root }, this.#scope, this.#report);
      const stack = { layers, incomplete: true };
      this.#checkBlock(node.name.text, stack, new Origins(start));
    }
  }

  #runs(tree: FileNode): readonly CheckedRun[] {
    const file = compose(tree, this.#root, new Map(), this.#scope, this.#report);
    const runs = runsOf(tree);
    if (runs.length === 0) return [this.#check(file, this.#report.place(START))];
    const checked = runs.flatMap((node) => {
      if (!node.given) return [];
      const { layers } = withBases({ node, document: this.#root }, this.#scope, this.#report);
      const composed = layers.reduce(
        (before, layer) =>
          compose(layer.node.body, layer.document, before, this.#scope, this.#report),
        file,
      );
      return [{ name: node.given.text, ...this.#check(composed, this.#report.place(node.given)) }];
    });
    this.#checkOverridden(file);
    return checked;
  }

  /** What the file says and every run overrides: nobody else looks at it. */
  #checkOverridden(file: Composition): void {
    const origins = new Origins(this.#report.place(START));
    for (const [name, stack] of file) {
      if (!this.#checked.has(stack))
        this.#checkBlock(name, { ...stack, incomplete: true }, origins);
    }
  }

  /** @param start where missing blocks are reported */
  #check(composition: Composition, start: Place): CheckedRun {
    const origins = new Origins(start);
    const diagnostics: Diagnostic[] = [];
    const values: Record<string, unknown> = {};
    for (const [name, declared] of Object.entries(BLOCKS)) {
      const stack =
        declared.chosenBy === undefined
          ? composition.get(name)
          : this.#chosen(name, declared.chosenBy, values);
      if (!stack && declared.chosenBy !== undefined) continue;
      // A block may be missing only because the parser could not read it, or because it is written otherwise.
      if (!stack && (this.#scope.broken || this.#mistaken.has(name))) continue;
      if (!stack) {
        values[name] = this.#missingBlock(name, declared, start);
        continue;
      }
      const checked = this.#checkStack(name, stack);
      values[name] = checked.values;
      origins.recordAll(checked.origins);
      diagnostics.push(...checked.diagnostics);
    }
    // The table says what the values are; the checker has held every one of them to it.
    const blocks = values as CheckedBlocks;
    if (!this.#scope.broken) {
      const check = () => checkMeaning(blocks, origins, this.#report);
      diagnostics.push(...this.#report.findings.during(check));
    }
    return { spec: blocks as Spec, origins, diagnostics };
  }

  /** The named block that a key of another block chooses. */
  #chosen(kind: string, by: string, values: Readonly<Record<string, unknown>>): Stack | undefined {
    const [block = "", key = ""] = by.split(".");
    const name = (values[block] as Readonly<Record<string, unknown>> | undefined)?.[key];
    const found = typeof name === "string" ? this.#scope.block(kind, name) : undefined;
    if (!found || GPU_NAMES.includes(String(name))) return undefined;
    const known = this.#chosenStacks.get(found.node);
    const stack = known ?? withBases(found, this.#scope, this.#report);
    this.#chosenStacks.set(found.node, stack);
    return stack;
  }

  /** Runs share most of their blocks: each stack of layers is checked once. */
  #checkStack(name: string, stack: Stack): CheckedStack {
    const known = this.#checked.get(stack);
    if (known) return known;
    const origins = new Origins(this.#report.place(START));
    let values: unknown;
    const diagnostics = this.#report.findings.during(() => {
      values = this.#checkBlock(name, stack, origins);
    });
    const checked = { values, origins, diagnostics };
    this.#checked.set(stack, checked);
    return checked;
  }

  #checkBlock(name: string, { layers, incomplete }: Stack, origins: Origins): unknown {
    const top = layers.at(-1);
    const declared = BLOCKS[name];
    if (!top || !declared) return undefined;
    const own = this.#report.in(top.document);
    origins.record(name, own.place(top.node.name));
    for (const { node, document } of layers.slice(0, -1))
      origins.recordBelow(this.#report.in(document).place(node.name));
    for (const layer of layers) this.#checkLabel(layer, declared, origins);
    const context: CheckContext = {
      report: own,
      document: top.document,
      origins,
      evaluator: this.#evaluator,
      scope: this.#scope,
      broken: this.#scope.broken,
      blocks: Object.keys(BLOCKS),
    };
    const owner = { name, path: name, header: top.node.name, partial: incomplete };
    const bodies = layers.map(({ node, document }) => ({ body: node.body, document }));
    const values = checkProperties(bodies, declared.properties, owner, context);
    if (!values || incomplete) return undefined;
    if (declared.label === undefined) return values;
    const label = layers.findLast(({ node }) => node.label)?.node.label;
    return { ...values, label: label?.value };
  }

  #checkLabel({ node, document }: Layer, declared: Block, origins: Origins): void {
    if (!node.label) return;
    const own = this.#report.in(document);
    const name = node.name.text;
    if (declared.label === undefined) own.at("unexpected-label", { name }, node.label);
    else origins.record(`${name}.label`, own.place(node.label));
  }

  #missingBlock(name: string, declared: Block, start: Place): unknown {
    if (declared.required !== undefined) {
      const help = `Add ${name}${this.#report.signs.block} { ... }.`;
      const label = declared.label === undefined ? undefined : SMALL_MODEL;
      const fix = this.#report.isYaml
        ? {}
        : { fix: blockAtEnd(blockPlaceholder(name, declared, label), this.#report) };
      const values = { name, reason: declared.required };
      this.#report.atPlace("missing-block", values, start, { help, ...fix });
      return undefined;
    }
    const entries = Object.entries(declared.properties);
    return Object.fromEntries(entries.map(([key, property]) => [key, defaultOf(property)]));
  }
}

/** A file that only declares names is there to be imported. */
function isLibrary(tree: FileNode): boolean {
  const declares = (node: BlockNode) => node.given !== undefined && node.name.text !== RUN;
  const names = tree.constants.length > 0 || tree.blocks.length > 0;
  return names && tree.entries.length === 0 && tree.blocks.every(declares);
}
