import type { CstElement, CstNode, IToken } from "chevrotain";
import { resolveEscapes } from "./escapes.js";
import { negated, numberProblem } from "./numbers.js";
import { BarePath, UnterminatedText } from "./tokens.js";
import type {
  BlockNode,
  BodyNode,
  ConstantNode,
  EntryNode,
  FileNode,
  ImportNode,
  ListNode,
  NameNode,
  NumberNode,
  Operator,
  Span,
  StringNode,
  TaggedNode,
  ValueNode,
} from "./tree.js";

type OnProblem = (sequence: string, span: Span) => void;

/**
 * Typed tree of a concrete syntax tree. After an error any child may be missing, and tokens that recovery
 * inserted have no position: both are left out here, so that later stages see only what was written.
 */
export function buildFile(cst: CstNode, length: number, onProblem: OnProblem): FileNode {
  const builder = new TreeBuilder(onProblem);
  const version = builder.version(nodes(cst, "version")[0]);
  return {
    kind: "file",
    start: 0,
    end: length,
    ...builder.members(cst),
    ...(version ? { version } : {}),
  };
}

/** Typed tree of a value on its own; as {@link buildFile}. */
export function buildValue(cst: CstNode, onProblem: OnProblem): ValueNode | undefined {
  return new TreeBuilder(onProblem).value(cst);
}

const NONE: readonly never[] = [];

const elements = (cst: CstNode | undefined, name: string): readonly CstElement[] =>
  cst?.children[name] ?? NONE;

/** The children of a rule's name are nodes, those of a token's name are tokens. */
function nodes(cst: CstNode | undefined, name: string): readonly CstNode[] {
  const found = elements(cst, name);
  const [first] = found;
  return first && "children" in first ? (found as readonly CstNode[]) : NONE;
}

function tokenOf(cst: CstNode | undefined, name: string): IToken | undefined {
  const token = elements(cst, name).find((element): element is IToken => "image" in element);
  return token && Number.isFinite(token.startOffset) && token.image !== "" ? token : undefined;
}

/** Tokens of these kinds in the order of the text. */
function operators(cst: CstNode | undefined, ...names: readonly string[]): readonly IToken[] {
  return names
    .flatMap((name) => elements(cst, name))
    .filter((element): element is IToken => "image" in element && element.image !== "")
    .sort((a, b) => a.startOffset - b.startOffset);
}

const spanOf = (token: IToken): Span => ({
  start: token.startOffset,
  end: token.startOffset + token.image.length,
});

const lastEnd = (start: number, ...lists: readonly (readonly Span[])[]): number =>
  Math.max(start, ...lists.map((list) => list.at(-1)?.end ?? start));

/** Most values are no calculation. */
function onlyOperand(sum: CstNode | undefined): CstNode | undefined {
  const products = nodes(sum, "product");
  const operands = nodes(products[0], "operand");
  return products.length === 1 && operands.length === 1 ? operands[0] : undefined;
}

class TreeBuilder {
  constructor(private readonly onProblem: OnProblem) {}

  version(cst: CstNode | undefined): FileNode["version"] {
    const keyword = this.name(tokenOf(cst, "Name"));
    const number = this.number(tokenOf(cst, "NumberLiteral"), undefined);
    return keyword && number && { ...number, keyword };
  }

  members(cst: CstNode | undefined): Omit<BodyNode, "start" | "end"> {
    const entries: EntryNode[] = [];
    const blocks: BlockNode[] = [];
    const imports: ImportNode[] = [];
    const constants: ConstantNode[] = [];
    for (const member of nodes(cst, "member")) {
      for (const node of nodes(member, "entry")) entries.push(...this.entry(node));
      for (const node of nodes(member, "block")) blocks.push(...this.block(node));
      for (const node of nodes(member, "import")) imports.push(...this.import(node));
      for (const node of nodes(member, "constant")) constants.push(...this.constant(node));
    }
    return { entries, blocks, imports, constants };
  }

  import(cst: CstNode): readonly ImportNode[] {
    const keyword = tokenOf(cst, "Name");
    const path = tokenOf(cst, "Text") ?? tokenOf(cst, "UnterminatedText");
    if (!keyword || !path) return [];
    const node = this.string(path);
    return [{ kind: "import", path: node, start: keyword.startOffset, end: node.end }];
  }

  constant(cst: CstNode): readonly ConstantNode[] {
    const keyword = tokenOf(cst, "Name");
    const name = this.name(tokenOf(cst, "constantName"));
    if (!keyword || !name) return [];
    const value = this.value(nodes(cst, "value")[0]);
    const end = value?.end ?? name.end;
    const start = keyword.startOffset;
    return [{ kind: "constant", name, start, end, ...(value ? { value } : {}) }];
  }

  entry(cst: CstNode): readonly EntryNode[] {
    const key = this.name(tokenOf(cst, "Name"));
    if (!key) return [];
    const value = this.value(nodes(cst, "value")[0]);
    const end = value?.end ?? key.end;
    return [{ kind: "entry", key, start: key.start, end, ...(value ? { value } : {}) }];
  }

  block(cst: CstNode): readonly BlockNode[] {
    const name = this.name(tokenOf(cst, "Name"));
    if (!name) return [];
    const label = tokenOf(cst, "Text");
    const given = this.name(tokenOf(cst, "given"));
    const base = this.name(tokenOf(nodes(cst, "base")[0], "baseName"));
    const header = Math.max(...[name, given, label && spanOf(label), base].map((n) => n?.end ?? 0));
    const body = this.body(nodes(cst, "body")[0], header);
    return [
      {
        kind: "block",
        name,
        body,
        start: name.start,
        end: body.end,
        ...(given ? { given } : {}),
        ...(label ? { label: this.string(label) } : {}),
        ...(base ? { base } : {}),
      },
    ];
  }

  body(cst: CstNode | undefined, start: number): BodyNode {
    const members = this.members(cst);
    const open = tokenOf(cst, "OpenBrace");
    const close = tokenOf(cst, "CloseBrace");
    const { entries, blocks, imports, constants } = members;
    const end = close ? spanOf(close).end : lastEnd(start, entries, blocks, imports, constants);
    return { entries, blocks, imports, constants, start: open?.startOffset ?? start, end };
  }

  value(cst: CstNode | undefined): ValueNode | undefined {
    const text = tokenOf(cst, "Text") ?? tokenOf(cst, "UnterminatedText");
    if (text) return this.string(text);
    const [list] = nodes(cst, "list");
    if (list) return this.list(list);
    const [tagged] = nodes(cst, "tagged");
    if (tagged) return this.tagged(tagged);
    return this.sum(nodes(cst, "sum")[0]);
  }

  private sum(cst: CstNode | undefined): ValueNode | undefined {
    const single = onlyOperand(cst);
    if (single) return this.operand(single);
    const operands = nodes(cst, "product").map((product) =>
      this.chain(
        nodes(product, "operand").map((operand) => this.operand(operand)),
        operators(product, "Star", "Slash"),
      ),
    );
    return this.chain(operands, operators(cst, "Plus", "Minus"));
  }

  /** Operands and the operators between them; after an error, as far as they are there. */
  private chain(
    operands: readonly (ValueNode | undefined)[],
    symbols: readonly IToken[],
  ): ValueNode | undefined {
    const [first, ...others] = operands;
    if (!first) return undefined;
    const rest = others.flatMap((operand, n) => {
      const operator = symbols[n]?.image as Operator | undefined;
      return operand && operator ? [{ operator, operand }] : [];
    });
    const end = rest.at(-1)?.operand.end ?? first.end;
    return rest.length === 0 ? first : { kind: "chain", first, rest, start: first.start, end };
  }

  private operand(cst: CstNode): ValueNode | undefined {
    const [group] = nodes(cst, "group");
    const value = group
      ? inParentheses(this.sum(nodes(group, "sum")[0]), group)
      : (this.quantity(nodes(cst, "quantity")[0]) ?? this.name(tokenOf(cst, "Name")));
    const sign = tokenOf(cst, "Minus");
    if (!value || !sign) return value;
    const start = sign.startOffset;
    return value.kind === "number"
      ? { ...value, value: negated(value.value), text: `-${value.text}`, start }
      : { kind: "negative", operand: value, start, end: value.end };
  }

  private quantity(cst: CstNode | undefined): NumberNode | undefined {
    return this.number(tokenOf(cst, "NumberLiteral"), tokenOf(cst, "Name") ?? tokenOf(cst, "Rate"));
  }

  private list(cst: CstNode): ListNode | undefined {
    const open = tokenOf(cst, "OpenBracket");
    if (!open) return undefined;
    const items = nodes(cst, "value")
      .map((item) => this.value(item))
      .filter((item) => item !== undefined);
    const close = tokenOf(cst, "CloseBracket");
    const end = close ? spanOf(close).end : (items.at(-1)?.end ?? spanOf(open).end);
    return { kind: "list", items, start: open.startOffset, end };
  }

  private tagged(cst: CstNode): TaggedNode | undefined {
    const tag = this.name(tokenOf(cst, "Name"));
    if (!tag) return undefined;
    const body = this.body(nodes(cst, "body")[0], tag.end);
    return { kind: "tagged", tag, body, start: tag.start, end: body.end };
  }

  private name(token: IToken | undefined): NameNode | undefined {
    return token && { kind: "name", text: token.image, ...spanOf(token) };
  }

  /** What is no number has been reported, and is left out. */
  private number(token: IToken | undefined, unit: IToken | undefined): NumberNode | undefined {
    if (!token || numberProblem(token.image)) return undefined;
    const text = token.image.replaceAll("_", "");
    const name = this.name(unit);
    const end = name?.end ?? spanOf(token).end;
    return {
      kind: "number",
      value: Number(text),
      text,
      start: token.startOffset,
      end,
      ...(name ? { unit: name } : {}),
    };
  }

  private string(token: IToken): StringNode {
    const { start, end } = spanOf(token);
    if (token.tokenType === BarePath) return { kind: "string", value: token.image, start, end };
    const closed = token.tokenType !== UnterminatedText;
    const inside = token.image.slice(1, closed ? -1 : undefined);
    const value = resolveEscapes(inside, (sequence, offset) =>
      this.onProblem(sequence, {
        start: start + 1 + offset,
        end: start + 1 + offset + sequence.length,
      }),
    );
    return { kind: "string", value, start, end };
  }
}

/** A calculation with its parentheses; they belong to nothing else. */
function inParentheses(value: ValueNode | undefined, group: CstNode): ValueNode | undefined {
  const [open, close] = [tokenOf(group, "OpenParen"), tokenOf(group, "CloseParen")];
  if (value?.kind !== "chain" || !open || !close) return value;
  return { ...value, start: open.startOffset, end: spanOf(close).end };
}
