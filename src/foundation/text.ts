/** A place in a text: line and column from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A stretch of text; the end is exclusive. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** Where something is reported that no place of a file stands for. */
export const FILE_START: Range = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };

/** Turns offsets into a text into positions. Lines end with LF, CRLF or CR; a byte-order mark has no column. */
export class LineMap {
  readonly #starts: number[];

  constructor(readonly text: string) {
    this.#starts = [text.startsWith("\uFEFF") ? 1 : 0];
    for (const match of text.matchAll(/\r\n|\n|\r/g))
      this.#starts.push(match.index + match[0].length);
  }

  /** Position of an offset; offsets outside the text count as its ends. */
  position(offset: number): Position {
    const inside = Math.max(this.#starts[0] as number, Math.min(offset, this.text.length));
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] as number) <= inside) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: inside - (this.#starts[low] as number) + 1 };
  }

  /** Offset of a position; a line or column beyond the text counts as its end. */
  offset({ line, column }: Position): number {
    const start = this.#starts[line - 1] ?? this.text.length;
    return Math.min(start + column - 1, start + this.line(line).length);
  }

  range(start: number, end: number): Range {
    return { start: this.position(start), end: this.position(end) };
  }

  /** Text of a line, without its end. */
  line(number: number): string {
    const start = this.#starts[number - 1] ?? this.text.length;
    return this.text.slice(start, this.#starts[number] ?? this.text.length).replace(/[\r\n]+$/, "");
  }
}

const isBlank = (character: string | undefined): boolean => character === " " || character === "\t";
const isBreak = (character: string | undefined): boolean =>
  character === "\n" || character === "\r";

/** A text without blanks at its end; a regular expression would try each run of blanks once a character. */
export function withoutBlanksAtEnd(text: string): string {
  let end = text.length;
  while (isBlank(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

/** What to remove with a stretch of text: the blanks before it, and its line where nothing else is on it. */
export function withSpaceAround(
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
): { readonly start: number; readonly end: number } {
  let from = start;
  while (isBlank(text[from - 1])) from -= 1;
  let to = end;
  while (isBlank(text[to])) to += 1;
  const first = from === 0 || text[from - 1] === "\uFEFF" || isBreak(text[from - 1]);
  if (!first || !(to === text.length || isBreak(text[to]))) return { start: from, end };
  if (text[to] === "\r" && text[to + 1] === "\n") to += 1;
  return { start: from, end: Math.min(to + 1, text.length) };
}
