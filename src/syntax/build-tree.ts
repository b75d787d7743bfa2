import type { CstElement, CstNode, IToken } from "chevrotain";
import { resolveEscapes } from "./escapes.js";
import type {
  BlockNode,
  BodyNode,
  EntryNode,
  FileNode,
  ListNode,
  NameNode,
  NumberNode,
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

const elements = (cst: CstNode | undefined, name: string): readonly CstElement[] =>
  cst?.children[name] ?? [];

const nodes = (cst: CstNode | undefined, name: string): readonly CstNode[] =>
  elements(cst, name).filter((element): element is CstNode => "children" in element);

function tokenOf(cst: CstNode | undefined, name: string): IToken | undefined {
  const token = elements(cst, name).find((element): element is IToken => "image" in element);
  return token && Number.isFinite(token.startOffset) && token.image !== "" ? token : undefined;
}

const spanOf = (token: IToken): Span => ({
  start: token.startOffset,
  end: token.startOffset + token.image.length,
});

class TreeBuilder {
  constructor(private readonly onProblem: OnProblem) {}

  version(cst: CstNode | undefined): FileNode["version"] {
    const keyword = this.name(tokenOf(cst, "Name"));
    const number = tokenOf(cst, "NumberLiteral");
    if (!keyword || !number) return undefined;
    return { ...this.number(number, undefined), keyword };
  }

  members(cst: CstNode | undefined): {
    entries: readonly EntryNode[];
    blocks: readonly BlockNode[];
  } {
    const members = nodes(cst, "member");
    return {
      entries: members.flatMap((member) => nodes(member, "entry")).flatMap((n) => this.entry(n)),
      blocks: members.flatMap((member) => nodes(member, "block")).flatMap((n) => this.block(n)),
    };
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
    const body = this.body(nodes(cst, "body")[0], label ? spanOf(label).end : name.end);
    return [
      {
        kind: "block",
        name,
        body,
        start: name.start,
        end: body.end,
        ...(label ? { label: this.string(label) } : {}),
      },
    ];
  }

  body(cst: CstNode | undefined, start: number): BodyNode {
    const members = this.members(cst);
    const open = tokenOf(cst, "OpenBrace");
    const close = tokenOf(cst, "CloseBrace");
    const last = (nodes: readonly Span[]) => nodes.at(-1)?.end ?? start;
    const end = close ? spanOf(close).end : Math.max(last(members.entries), last(members.blocks));
    return { ...members, start: open?.startOffset ?? start, end };
  }

  value(cst: CstNode | undefined): ValueNode | undefined {
    const text = tokenOf(cst, "Text") ?? tokenOf(cst, "UnterminatedText");
    if (text) return this.string(text);
    const [quantity] = nodes(cst, "quantity");
    const number = tokenOf(quantity, "NumberLiteral");
    if (number) return this.number(number, tokenOf(quantity, "Name") ?? tokenOf(quantity, "Rate"));
    const [list] = nodes(cst, "list");
    if (list) return this.list(list);
    return this.choice(nodes(cst, "choice")[0]);
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

  private choice(cst: CstNode | undefined): NameNode | TaggedNode | undefined {
    const tag = this.name(tokenOf(cst, "Name"));
    if (!tag) return undefined;
    const [body] = nodes(cst, "body");
    if (!body) return tag;
    const inside = this.body(body, tag.end);
    return { kind: "tagged", tag, body: inside, start: tag.start, end: inside.end };
  }

  private name(token: IToken | undefined): NameNode | undefined {
    return token && { kind: "name", text: token.image, ...spanOf(token) };
  }

  private number(token: IToken, unit: IToken | undefined): NumberNode {
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
    const closed = token.image.length > 1 && token.image.endsWith('"');
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
