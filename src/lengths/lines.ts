export interface Line {
  /** Byte offset of the line's first byte in the file, after a byte order mark. */
  readonly offset: number;
  /** From 1, counting every line, empty ones too. */
  readonly number: number;
  /** Without its line end; `undefined` where the bytes are not UTF-8 or the line is over the limit. */
  readonly text: string | undefined;
  readonly problem: string | undefined;
}

/** A line longer than this is malformed: no tokenizer or schedule has a use for it. */
const LONGEST_LINE_BYTES = 256 * 1024 * 1024;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Splits a stream of bytes into lines, holding one line at a time. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const decode = lineDecoder();
  let pieces: Uint8Array[] = [];
  let size = 0;
  let offset = 0;
  let number = 0;
  const finish = (): Line => {
    number += 1;
    const bytes = size > LONGEST_LINE_BYTES ? undefined : join(pieces, size);
    const mark = number === 1 && bytes !== undefined && startsWithMark(bytes) ? 3 : 0;
    const line = { offset: offset + mark, number, ...decode(bytes?.subarray(mark)) };
    pieces = [];
    offset += size + 1;
    size = 0;
    return line;
  };
  const keep = (piece: Uint8Array) => {
    size += piece.length;
    if (size <= LONGEST_LINE_BYTES) pieces.push(piece);
    else pieces = [];
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (size > 0) yield finish();
}

function lineDecoder() {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return (bytes: Uint8Array | undefined) => {
    if (bytes === undefined) return { text: undefined, problem: "is longer than 256 MiB" };
    try {
      return { text: withoutEnd(decoder.decode(bytes)), problem: undefined };
    } catch {
      return { text: undefined, problem: "is not UTF-8" };
    }
  };
}

/** Without white space as JSON knows it: after any other, the runtime could not read the line either. */
function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && " \t\r".includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

function startsWithMark(bytes: Uint8Array): boolean {
  return BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte);
}

function join(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const only = pieces[0];
  if (only && pieces.length === 1) return only;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
