import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";
import type {
  BlockNode,
  BodyNode,
  ConstantNode,
  EntryNode,
  FileNode,
  ImportNode,
  NameNode,
  ScalarNode,
  Span,
  StringNode,
  TaggedNode,
  ValueNode,
} from "../tree.js";

/** Told of what is wrong, where, and what to do. */
export type OnProblem = (problem: string, span: Span, help?: string) => void;

/** Keys of the document that are not blocks of the language. */
const STATEMENTS = { version: "skrull", imports: "import", constants: "let" } as const;
const NAMED = "named";
const RUNS = "runs";
const RUN = "run";
/** Keys of a block that are not properties. */
const LABEL = "name";
const BASE = "extends";
/** The key that says which variant a map is. */
const TAG = "type";

/** The spec language's tree of a YAML document. */
export function buildFile(contents: Node, empty: FileNode, report: OnProblem): FileNode {
  return new YamlBuilder(report).file(contents, empty);
}

interface Item {
  readonly key: NameNode;
  readonly value: Node | null;
}

class YamlBuilder {
  constructor(private readonly report: OnProblem) {}

  file(contents: Node, empty: FileNode): FileNode {
    const items = this.#items(contents, "a spec is a map of its blocks");
    const named = (name: string) => this.#only(name, items);
    const statements: readonly string[] = [...Object.values(STATEMENTS), NAMED, RUNS, RUN];
    const rest = items.filter(({ key }) => !statements.includes(key.text));
    const run = items.find(({ key }) => key.text === RUN);
    if (run) this.report("runs have names here", run.key, `Write ${RUNS}: { NAME: { ... } }`);
    return {
      ...empty,
      ...this.#version(named(STATEMENTS.version)),
      imports: this.#imports(named(STATEMENTS.imports)),
      constants: this.#constants(named(STATEMENTS.constants)),
      entries: this.#references(rest),
      blocks: [...this.#blocks(rest), ...this.#named(named(NAMED)), ...this.#runs(named(RUNS))],
    };
  }

  /** The one item of a key that is no property; the checker, which looks for other doubles, does not see these. */
  #only(name: string, items: readonly Item[]): Item | undefined {
    const [first, second] = items.filter(({ key }) => key.text === name);
    if (second) this.report(`'${name}' is written twice`, second.key, "Merge the two.");
    return first;
  }

  /** The spec language, and the command line, could not write other names. */
  #declared({ key }: Item): boolean {
    if (/^[A-Za-z_][\w-]*$/.test(key.text)) return true;
    const help = "A name is made of letters, digits, _ and -, and begins with a letter.";
    this.report("this cannot be a name", key, help);
    return false;
  }

  #version(item: Item | undefined): Pick<FileNode, "version"> {
    const scalar = item?.value && this.#scalar(item.value);
    if (!item || !scalar) return {};
    const { text, start, end } = scalar;
    return {
      version: { kind: "number", value: Number(text), text, start, end, keyword: item.key },
    };
  }

  #imports(item: Item | undefined): readonly ImportNode[] {
    if (!item?.value) return [];
    const nodes = isSeq(item.value) ? (item.value.items as Node[]) : [item.value];
    return nodes.flatMap((node) => {
      const path = this.#string(node);
      return path ? [{ kind: "import" as const, path, start: path.start, end: path.end }] : [];
    });
  }

  #constants(item: Item | undefined): readonly ConstantNode[] {
    if (!item) return [];
    const items = this.#items(item.value, "constants are a map of names and values");
    return items
      .filter((one) => this.#declared(one))
      .map((one) => {
        const value = this.#value(one.value, one.key);
        const { key: name } = one;
        const end = value?.end ?? name.end;
        return { kind: "constant", name, start: name.start, end, ...(value ? { value } : {}) };
      });
  }

  /** `cluster: h100x32`. */
  #references(items: readonly Item[]): readonly EntryNode[] {
    return items.filter(({ value }) => !isMap(value)).flatMap((item) => this.#entry(item));
  }

  #blocks(items: readonly Item[]): readonly BlockNode[] {
    return items
      .filter(({ value }) => isMap(value))
      .map(({ key, value }) => this.#block(key, undefined, value));
  }

  /** `named: { cluster: { h100x32: { ... } } }`. */
  #named(item: Item | undefined): readonly BlockNode[] {
    if (!item) return [];
    return this.#items(item.value, "named blocks are a map of blocks").flatMap((kind) =>
      this.#items(kind.value, "named blocks are a map of their names")
        .filter((one) => this.#declared(one))
        .map(({ key, value }) => this.#block(kind.key, key, value)),
    );
  }

  #runs(item: Item | undefined): readonly BlockNode[] {
    if (!item) return [];
    const runs = this.#items(item.value, "runs are a map of their names");
    return runs
      .filter((one) => this.#declared(one))
      .map(({ key, value }) => {
        const items = this.#items(value, "a run is a map of its blocks");
        const rest = items.filter((one) => one.key.text !== BASE && one.key.text !== LABEL);
        const body = {
          ...this.#body([], value, key),
          entries: this.#references(rest),
          blocks: this.#blocks(rest),
        };
        const name: NameNode = { ...key, text: RUN };
        return this.#assemble(name, key, items, body);
      });
  }

  #block(name: NameNode, given: NameNode | undefined, value: Node | null): BlockNode {
    const items = this.#items(value, "a block is a map of its keys");
    const rest = items.filter(({ key }) => key.text !== LABEL && key.text !== BASE);
    return this.#assemble(name, given, items, this.#body(rest, value, given ?? name));
  }

  #assemble(
    name: NameNode,
    given: NameNode | undefined,
    items: readonly Item[],
    body: BodyNode,
  ): BlockNode {
    const labelled = this.#only(LABEL, items)?.value;
    const label = labelled && this.#string(labelled);
    const extended = this.#only(BASE, items)?.value;
    const base = extended && this.#name(extended);
    return {
      kind: "block",
      name,
      body,
      // Blocks of one kind share the word for it.
      start: (given ?? name).start,
      end: body.end,
      ...(given ? { given } : {}),
      ...(label ? { label } : {}),
      ...(base ? { base } : {}),
    };
  }

  #body(items: readonly Item[], node: Node | null, before: Span): BodyNode {
    const { start, end } = node ? spanOf(node) : { start: before.end, end: before.end };
    const entries = items.flatMap((item) => this.#entry(item));
    return { entries, blocks: [], imports: [], constants: [], start, end };
  }

  #entry({ key, value: node }: Item): readonly EntryNode[] {
    const value = this.#value(node, key);
    const end = value?.end ?? key.end;
    return [{ kind: "entry", key, start: key.start, end, ...(value ? { value } : {}) }];
  }

  #value(node: Node | null, key: NameNode): ValueNode | undefined {
    if (isSeq(node)) {
      const items = (node.items as Node[]).map((item) => this.#value(item, key));
      const kept = items.filter((item) => item !== undefined);
      return { kind: "list", items: kept, ...spanOf(node) };
    }
    if (isMap(node)) return this.#tagged(node);
    if (!node || (isScalar(node) && node.value === null)) {
      this.report(
        `'${key.text}' has no value`,
        node && spanOf(node).end > spanOf(node).start ? spanOf(node) : key,
        "Give it one, or remove it.",
      );
      return undefined;
    }
    return this.#scalar(node);
  }

  /** `{ type: adamw, lr: 1e-5 }`. */
  #tagged(node: YAMLMap): TaggedNode | undefined {
    const items = this.#items(node, "");
    const tag = this.#only(TAG, items)?.value;
    const name = tag ? this.#name(tag) : undefined;
    if (!name) {
      this.report(`this map does not say its ${TAG}`, spanOf(node), `Add a key: ${TAG}: NAME`);
      return undefined;
    }
    const rest = items.filter(({ key }) => key.text !== TAG);
    return { kind: "tagged", tag: name, body: this.#body(rest, node, name), ...spanOf(node) };
  }

  #items(node: Node | null, expected: string): readonly Item[] {
    if (node === null || (isScalar(node) && node.value === null)) return [];
    if (!isMap(node)) {
      this.report(expected, spanOf(node));
      return [];
    }
    return (node.items as Pair<Node, Node | null>[]).flatMap(({ key, value }) => {
      const name = key && this.#name(key);
      return name ? [{ key: name, value }] : [];
    });
  }

  #name(node: Node): NameNode | undefined {
    const scalar = this.#scalar(node);
    return scalar && { ...scalar, kind: "name" };
  }

  #string(node: Node): StringNode | undefined {
    const scalar = this.#scalar(node);
    if (!scalar) return undefined;
    const { text: value, start, end } = scalar;
    return { kind: "string", value, start, end };
  }

  #scalar(node: Node): ScalarNode | undefined {
    const span = spanOf(node);
    if (!isScalar(node)) {
      const help = "Constants can be shared with let, blocks with named and extends.";
      this.report("only a word, a number or a string can stand here", span, help);
      return undefined;
    }
    // A plain scalar is read as it was written: `1e-5` and `128K` are numbers of the spec language.
    const text = node.type === "PLAIN" ? (node.source ?? "") : String(node.value);
    return { kind: "scalar", text, ...span };
  }
}

function spanOf(node: Node): Span {
  const [start = 0, end = start] = node.range ?? [];
  return { start, end };
}
