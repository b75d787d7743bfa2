import type { Host } from "../host/host.js";
import { LANGUAGE } from "../language/language.js";
import { parseSample, type SampleFormat } from "../lengths/format.js";
import { readLines } from "../lengths/lines.js";

type FormatName = SampleFormat["type"];
type Columns = Readonly<Record<string, string>>;

/** How lines are laid out, as a spec says it. */
export interface Layout {
  readonly format: FormatName;
  /** Those of other names than the usual. */
  readonly columns: Columns;
}

/** What a file holds where no line of it can be read. */
export type Contents = Layout | "array" | "unknown";

const FORMATS = LANGUAGE.data.properties.format.type.variants;

/** A format with the names of its columns, the usual ones where none are given. */
export function formatOf({ format, columns }: Layout): SampleFormat {
  const usual = Object.entries(FORMATS[format]).map(([key, { default: name }]) => [key, name]);
  return { type: format, ...Object.fromEntries(usual), ...columns } as SampleFormat;
}

/** The first that fits is told. */
const LAYOUTS: readonly (readonly [FormatName, Columns?])[] = [
  ["messages"],
  ["sharegpt"],
  ["alpaca"],
  ["prompt-completion"],
  ["text"],
  ["messages", { messages: "conversations" }],
  ["messages", { messages: "conversation" }],
  ["sharegpt", { conversations: "messages" }],
  ["sharegpt", { conversations: "conversation" }],
  ["alpaca", { output: "response" }],
  ["prompt-completion", { completion: "response" }],
  ["prompt-completion", { prompt: "question", completion: "answer" }],
  ["text", { text: "content" }],
];

/** Bytes of a piece of a file that are looked at for its first sign. */
const MOST_BLANK = 4096;

/** Lines that must all have the layout. */
const LOOKED_AT = 5;

/**
 * Whether a file is one JSON array: it begins as one, and no line but the last item's, which has no comma after it, is
 * a sample by itself.
 *
 * @param samples lines of it that could be read
 */
export async function isArrayFile(host: Host, path: string, samples: number): Promise<boolean> {
  return samples <= 1 && (await firstSign(host, path)) === "[";
}

/** The first character that is no blank, also of a line that is too long to be read. */
async function firstSign(host: Host, path: string): Promise<string> {
  for await (const chunk of host.stream(path)) {
    const text = new TextDecoder("latin1").decode(chunk.subarray(0, MOST_BLANK));
    const [sign] = text.replace(/^\u00ef\u00bb\u00bf/, "").trimStart();
    if (sign !== undefined) return sign;
  }
  return "";
}

/** Looks at the first lines of a file for a layout that they have. */
export async function recogniseFile(host: Host, path: string): Promise<Contents> {
  if ((await firstSign(host, path)) === "[") return "array";
  const lines: string[] = [];
  for await (const { text } of readLines(host.stream(path))) {
    if (text !== "" && text !== undefined) lines.push(text);
    if (lines.length === LOOKED_AT) break;
  }
  return recognise(lines);
}

export function recognise(lines: readonly string[]): Contents {
  if (/^\s*\[/.test(lines[0] ?? "")) return "array";
  const layouts = LAYOUTS.map(([format, columns = {}]) => ({ format, columns }));
  const found = layouts.find((layout) =>
    lines.every((line) => parseSample(line, formatOf(layout)).ok),
  );
  return (lines.length > 0 && found) || "unknown";
}

/** A layout as a spec writes it. */
export function written({ format, columns }: Layout): string {
  const names = Object.entries(columns).map(([key, name]) => `${key} = ${JSON.stringify(name)}`);
  return names.length === 0 ? format : `${format} { ${names.join("  ")} }`;
}

/** What to do about data that is one array. */
export const LINES_OF_ARRAY =
  "it is a JSON array; write each of its items on a line of its own, as jq -c '.[]' does";
