import type { Replaced } from "./cursor.js";

/** Where an offset is in YAML of one key a line. */
export interface YamlCursor extends Replaced {
  /** The keys that this line is below, from the outermost. */
  readonly above: readonly string[];
  /** The other keys of its map, with what is written behind them. */
  readonly beside: ReadonlyMap<string, string>;
  /** The key whose value is typed; absent where a key is. */
  readonly key?: string;
}

interface Line {
  readonly indent: number;
  readonly key?: string;
  readonly value: string;
}

/** Where an offset is; `undefined` in comments, in quotes and inside of brackets, which is how JSON is written. */
export function yamlCursorAt(text: string, offset: number): YamlCursor | undefined {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const typed = /^( *)(- +|([\w-]+) *: +)?([\w-]*)$/.exec(text.slice(start, offset));
  if (!typed) return undefined;
  const [, indentation = "", before, key, word = ""] = typed;
  const rest = /^([\w-]*)( *:)?/.exec(text.slice(offset));
  const above = text.slice(0, start).split(/\r?\n/).slice(0, -1).map(lineOf).reverse();
  const below = text.slice(offset).split(/\r?\n/).slice(1).map(lineOf);
  const isItem = before !== undefined && key === undefined;
  // The items of a list may stand as far left as its key.
  const keys = keysAbove(above, indentation.length + (isItem ? 1 : 0));
  const own = isItem ? keys.at(-1) : key;
  return {
    replace: { start: offset - word.length, end: offset + (rest?.[1]?.length ?? 0) },
    followed: rest?.[2] !== undefined,
    above: isItem ? keys.slice(0, -1) : keys,
    beside: new Map([above, below].flatMap((lines) => keysBeside(lines, indentation.length))),
    ...(own === undefined ? {} : { key: own }),
  };
}

function lineOf(text: string): Line | undefined {
  const found = /^( *)(?:([\w-]+) *:(?: +|$))?(.*)$/.exec(text);
  const [, indentation = "", key, rest = ""] = found ?? [];
  const value = rest.startsWith("#") ? "" : (rest.split(" #")[0] ?? "").trim();
  if (key === undefined && value === "") return undefined;
  return { indent: indentation.length, value, ...(key === undefined ? {} : { key }) };
}

/** @param lines the nearest first; `undefined` for those that say nothing */
function keysAbove(lines: readonly (Line | undefined)[], indent: number): readonly string[] {
  const keys: string[] = [];
  let limit = indent;
  for (const line of lines) {
    if (!line || line.indent >= limit) continue;
    limit = line.indent;
    if (line.key !== undefined) keys.unshift(line.key);
  }
  return keys;
}

function keysBeside(
  lines: readonly (Line | undefined)[],
  indent: number,
): readonly (readonly [string, string])[] {
  const end = lines.findIndex((line) => line && line.indent < indent);
  return lines
    .slice(0, end === -1 ? lines.length : end)
    .flatMap((line) =>
      line?.indent === indent && line.key !== undefined ? [[line.key, line.value] as const] : [],
    );
}
