import { withoutBlanksAtEnd } from "../foundation/text.js";
import type { ConcreteSyntax, SourceToken } from "../syntax/concrete.js";

/** What a file, a body or a list holds, one item a line. */
export type Item = CommentLine | Statement;

export interface CommentLine {
  readonly kind: "comment";
  readonly text: string;
  readonly blankBefore: boolean;
}

/** An entry, a block, an import, an item of a list: tokens and groups, and a comment at the end of its line. */
export interface Statement {
  readonly kind: "statement";
  readonly parts: readonly Part[];
  /** At the end of its last line. */
  comment: string | undefined;
  readonly blankBefore: boolean;
}

export type Part = SourceToken | Group;

/** A body in braces or a list in brackets. */
export interface Group {
  readonly kind: "group";
  readonly open: "{" | "[";
  /** At the end of the opening line. */
  readonly comment: string | undefined;
  readonly items: readonly Item[];
  /** Whether it was written over several lines (a list: with its first item on a new one): it stays so. */
  readonly broken: boolean;
}

const CLOSING: Readonly<Record<string, string>> = { "{": "}", "[": "]" };

/** Arranges tokens and comments into items; white space is only looked at for line breaks and blank lines. */
export function layOut(text: string, syntax: ConcreteSyntax): readonly Item[] {
  return new Arranger(text, syntax).items(undefined);
}

class Arranger {
  #next = 0;
  /** The next token that is no comment, as far as it was looked for: many comments are passed once. */
  #content = 0;

  constructor(
    private readonly text: string,
    private readonly syntax: ConcreteSyntax,
  ) {}

  /** Items up to the closing bracket of `open`, or to the end of the file. */
  items(open: Group["open"] | undefined): Item[] {
    const items: Item[] = [];
    for (
      let token = this.peek();
      token && token.text !== CLOSING[open ?? ""];
      token = this.peek()
    ) {
      if (token.kind === "comment") this.comment(items);
      else if (open === "[" && token.text === ",") this.#next += 1;
      else this.statement(items, open === "[");
    }
    return items;
  }

  /** A comment on the line of the item before it belongs to that item. */
  private comment(items: Item[]): void {
    const { text } = this.take();
    const blankBefore = items.length > 0 && this.breaksBefore() > 1;
    const last = items.at(-1);
    const trails = last?.kind === "statement" && last.comment === undefined;
    if (trails && this.breaksBefore() === 0) last.comment = withoutBlanksAtEnd(text);
    else items.push({ kind: "comment", text: withoutBlanksAtEnd(text), blankBefore });
  }

  /** Comments in the middle of a statement move above it. */
  private statement(items: Item[], inList: boolean): void {
    const first = this.#next;
    const blankBefore = items.length > 0 && this.breaksBefore(first) > 1;
    const parts: Part[] = [];
    const moved: string[] = [];
    for (let token = this.peek(); token; token = this.peek()) {
      if (parts.length > 0 && this.ends(inList)) break;
      const taken = this.take();
      if (taken.kind === "comment") moved.push(withoutBlanksAtEnd(taken.text));
      else parts.push(taken.text === "{" || taken.text === "[" ? this.group(taken.text) : taken);
    }
    moved.forEach((text, n) => {
      items.push({ kind: "comment", text, blankBefore: blankBefore && n === 0 });
    });
    items.push({
      kind: "statement",
      parts,
      comment: undefined,
      blankBefore: blankBefore && moved.length === 0,
    });
  }

  private group(open: Group["open"]): Group {
    const first = this.#next;
    const comment = this.openingComment();
    const items = this.items(open);
    const until = open === "[" ? first : this.#next;
    this.#next += 1;
    return { kind: "group", open, comment, items, broken: this.breaksWithin(first, until) };
  }

  private openingComment(): string | undefined {
    if (this.peek()?.kind !== "comment" || this.breaksBefore(this.#next) > 0) return undefined;
    return withoutBlanksAtEnd(this.take().text);
  }

  /** Whether the next token that is not a comment is no longer part of the statement. */
  private ends(inList: boolean): boolean {
    this.#content = Math.max(this.#content, this.#next);
    while (this.syntax.tokens[this.#content]?.kind === "comment") this.#content += 1;
    const token = this.syntax.tokens[this.#content];
    if (!token || token.text === "}" || token.text === "]") return true;
    return inList ? token.text === "," : this.syntax.statements.has(token.start);
  }

  /** Line breaks between a token, by default the one just taken, and the one before it. */
  private breaksBefore(index = this.#next - 1): number {
    const [before, token] = [this.syntax.tokens[index - 1], this.syntax.tokens[index]];
    const between = this.text.slice(before?.end ?? 0, token?.start);
    return between.match(/\r\n|\n|\r/g)?.length ?? 0;
  }

  private breaksWithin(first: number, last: number): boolean {
    const start = this.syntax.tokens[first - 1]?.end ?? 0;
    return /[\r\n]/.test(this.text.slice(start, this.syntax.tokens[last]?.start));
  }

  private peek(): SourceToken | undefined {
    return this.syntax.tokens[this.#next];
  }

  private take(): SourceToken {
    this.#next += 1;
    return this.syntax.tokens[this.#next - 1] as SourceToken;
  }
}
