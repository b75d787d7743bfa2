import type { Place } from "../diagnostics/diagnostic.js";
import type { BlockNode, ConstantNode, NameNode } from "../syntax/tree.js";
import type { SourceDocument } from "./document.js";
import type { Report } from "./report.js";
import type { Symbols } from "./symbols.js";

/** A declaration and the document that it stands in. */
export interface Declared<Node> {
  readonly node: Node;
  readonly document: SourceDocument;
}

/** The name of a `run` block: it holds blocks, not properties. */
export const RUN = "run";

/** The names that a spec and its imports declare: constants, named blocks and runs. */
export class Scope {
  readonly #constants = new Map<string, Declared<ConstantNode>>();
  readonly #blocks = new Map<string, Declared<BlockNode>>();

  constructor(
    documents: readonly SourceDocument[],
    private readonly symbols: Symbols,
    private readonly report: Report,
    readonly broken: boolean,
    /** What an import would have declared is not there, and has been told. */
    readonly lacksImports: boolean,
  ) {
    for (const [n, document] of documents.entries()) {
      for (const node of document.tree.constants)
        this.#declare(this.#constants, "constant", undefined, node.name, { node, document });
      for (const node of document.tree.blocks) this.#declareBlock(node, document, n === 0);
    }
  }

  constant(name: string): Declared<ConstantNode> | undefined {
    return this.#constants.get(name);
  }

  get constantNames(): readonly string[] {
    return [...this.#constants.keys()];
  }

  /** A named block, or a run where `kind` is {@link RUN}. */
  block(kind: string, name: string): Declared<BlockNode> | undefined {
    return this.#blocks.get(`${kind} ${name}`);
  }

  /** Named blocks and runs of a name, of whatever kind. */
  othersCalled(name: string): readonly Declared<BlockNode>[] {
    return [...this.#blocks.values()].filter(({ node }) => node.given?.text === name);
  }

  blockNames(kind: string): readonly string[] {
    return [...this.#blocks.values()].flatMap(({ node }) =>
      node.name.text === kind && node.given ? [node.given.text] : [],
    );
  }

  useConstant(name: string, place: Place): void {
    this.symbols.use("constant", undefined, name, place);
  }

  useBlock(kind: string, name: string, place: Place): void {
    if (kind === RUN) this.symbols.use("run", undefined, name, place);
    else this.symbols.use("block", kind, name, place);
  }

  /** Runs of imported files are theirs: a spec trains what it declares itself. */
  #declareBlock(node: BlockNode, document: SourceDocument, own: boolean): void {
    if (!node.given) return;
    const kind = node.name.text;
    const what = kind === RUN ? "run" : "block";
    if (kind === RUN && !own) return;
    this.#declare(this.#blocks, what, kind, node.given, { node, document });
  }

  #declare<Node>(
    names: Map<string, Declared<Node>>,
    what: "constant" | "block" | "run",
    kind: string | undefined,
    name: NameNode,
    declared: Declared<Node>,
  ): void {
    const key = kind === undefined ? name.text : `${kind} ${name.text}`;
    const report = this.report.in(declared.document);
    const first = names.get(key);
    if (first) {
      const before = this.report.in(first.document).place(nameOf(first.node as never));
      this.#reportTwice({ what: kind ?? what, name: name.text }, before, report.place(name));
      return;
    }
    names.set(key, declared);
    this.symbols.define(what, what === "block" ? kind : undefined, name.text, report.place(name));
  }

  /** What a spec declares again it can change; what it imports belongs to others too. */
  #reportTwice(values: { what: string; name: string }, before: Place, after: Place): void {
    const imported = before.file !== after.file;
    const [place, other] = imported ? [before, after] : [after, before];
    const message = imported ? "also declared here" : "first declared here";
    this.report.atPlace("duplicate-name", values, place, { related: [{ message, ...other }] });
  }
}

const nameOf = (node: ConstantNode | BlockNode): NameNode =>
  node.kind === "block" ? (node.given ?? node.name) : node.name;
