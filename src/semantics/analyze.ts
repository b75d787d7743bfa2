import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { boundDiagnostics, hasErrors } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../foundation/suggest.js";
import { LANGUAGE, type Spec } from "../language/language.js";
import type { Block } from "../language/types.js";
import { parseSpec } from "../syntax/parse.js";
import type { BlockNode, FileNode, Span } from "../syntax/tree.js";
import { type CheckedBlocks, checkMeaning } from "./check-meaning.js";
import { checkProperties } from "./check-properties.js";
import { Origins, Report } from "./report.js";

export interface Analysis {
  readonly file: string;
  /** For code frames. */
  readonly text: string;
  /** Present only where no error was found. */
  readonly spec?: Spec;
  readonly origins: Origins;
  readonly diagnostics: readonly Diagnostic[];
}

const VERSION = 1;
const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

/** Checks a spec, from text to meaning. Never throws: every mistake is a diagnostic. */
export function analyze(file: string, text: string): Analysis {
  const parsed = parseSpec(file, text);
  const report = new Report(file, parsed.lines);
  const origins = new Origins(file, parsed.lines);
  const broken = hasErrors(parsed.diagnostics);
  checkVersion(parsed.tree, report, broken);
  // The table says what the values are; the checker has held every one of them to it.
  const blocks = checkBlocks(parsed.tree, report, origins, broken) as CheckedBlocks;
  if (!broken) checkMeaning(blocks, origins, report);
  const diagnostics = boundDiagnostics([...parsed.diagnostics, ...report.diagnostics]);
  const sound = !hasErrors(diagnostics);
  return { file, text, origins, diagnostics, ...(sound ? { spec: blocks as Spec } : {}) };
}

function checkVersion({ version }: FileNode, report: Report, broken: boolean): void {
  if (!version) {
    if (broken) return;
    const range = report.lines.range(0, 0);
    const edits = [{ range, new_text: `skrull ${VERSION}\n\n` }];
    report.at("missing-version", {}, START, {
      fix: { title: `Add skrull ${VERSION}`, safe: true, edits },
    });
    return;
  }
  const { keyword } = version;
  if (keyword.text !== "skrull") {
    report.at("unexpected-token", { expected: "'skrull'", found: `'${keyword.text}'` }, keyword);
  } else if (version.value !== VERSION) {
    report.at("unsupported-version", { found: version.text }, version);
  }
}

const START: Span = { start: 0, end: 0 };

function checkBlocks(
  tree: FileNode,
  report: Report,
  origins: Origins,
  broken: boolean,
): Readonly<Record<string, unknown>> {
  for (const entry of tree.entries) {
    report.at(
      "unexpected-token",
      { expected: "a block", found: `the key '${entry.key.text}'` },
      entry.key,
      {
        help: "Put it into one of the blocks.",
      },
    );
  }
  const found = new Map<string, BlockNode>();
  for (const block of tree.blocks) {
    const first = found.get(block.name.text);
    if (!Object.hasOwn(BLOCKS, block.name.text)) reportUnknownBlock(block, report);
    else if (first) reportDuplicateBlock(first, block, report);
    else found.set(block.name.text, block);
  }
  const values: Record<string, unknown> = {};
  for (const [name, declared] of Object.entries(BLOCKS)) {
    const block = found.get(name);
    // A block may be missing only because the parser could not read it.
    if (!block && broken) continue;
    values[name] = block
      ? checkBlock(block, declared, report, origins, broken)
      : missingBlock(name, declared, report);
  }
  return values;
}

function checkBlock(
  node: BlockNode,
  declared: Block,
  report: Report,
  origins: Origins,
  broken: boolean,
) {
  const name = node.name.text;
  origins.record(name, node.name);
  if (node.label) {
    if (declared.label === undefined) report.at("unexpected-label", { name }, node.label);
    else origins.record(`${name}.label`, node.label);
  }
  const owner = { name, path: name, header: node.name };
  const context = { report, origins, broken, blocks: Object.keys(BLOCKS) };
  const values = checkProperties(node.body, declared.properties, owner, context);
  return (
    values && { ...values, ...(declared.label === undefined ? {} : { label: node.label?.value }) }
  );
}

function missingBlock(name: string, declared: Block, report: Report) {
  if (declared.required !== undefined) {
    report.at("missing-block", { name, reason: declared.required }, START, {
      help: `Add ${name} { ... }.`,
    });
    return undefined;
  }
  const entries = Object.entries(declared.properties);
  return Object.fromEntries(
    entries.map(([key, property]) => [key, "default" in property ? property.default : undefined]),
  );
}

function reportUnknownBlock(block: BlockNode, report: Report): void {
  const known = Object.keys(BLOCKS);
  const near = didYouMean(block.name.text, known);
  const range = report.lines.range(block.name.start, block.name.end);
  report.at("unknown-block", { name: block.name.text }, block.name, {
    help: near ? `Did you mean ${near}?` : `The blocks are ${known.join(", ")}.`,
    ...(near
      ? { fix: { title: `Rename to ${near}`, safe: false, edits: [{ range, new_text: near }] } }
      : {}),
  });
}

function reportDuplicateBlock(first: BlockNode, second: BlockNode, report: Report): void {
  const range = report.lines.range(first.name.start, first.name.end);
  report.at("duplicate-block", { name: second.name.text }, second.name, {
    related: [{ message: "first written here", file: report.file, range }],
  });
}
