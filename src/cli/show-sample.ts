import { formatCount } from "../foundation/format.js";
import { jsonText } from "../foundation/json.js";
import { printableLines } from "../foundation/printable.js";
import { type Host, HostError } from "../host/host.js";
import { countTokens, superviseSegments } from "../lengths/count.js";
import { type Line, readLines } from "../lengths/lines.js";
import type { DataFile } from "../lengths/measure.js";
import { renderLine } from "../lengths/measure-file.js";
import type { CountSettings } from "../lengths/measurement.js";
import type { Rendered, Segment } from "../lengths/render.js";
import type { Tokenizer } from "../lengths/tokenizer.js";

/** A stretch of a sample's text, and whether the loss counts it. */
interface Stretch {
  readonly text: string;
  readonly trained: boolean;
}

/** The text of one line of data as it is trained on, with what the loss counts marked. @throws HostError */
export async function showSample(
  host: Host,
  files: readonly DataFile[],
  number: number,
  { tokenizer, settings }: { readonly tokenizer: Tokenizer; readonly settings: CountSettings },
  format: "pretty" | "json",
): Promise<string> {
  const [file, another] = files;
  if (!file || another) throw new HostError("--show", "shows a line of one file");
  const line = await lineOf(host, file, number);
  const rendered: Rendered = renderLine(line, settings.rendering);
  if (!rendered.ok) throw new HostError(`${file.name}:${number}`, rendered.reason);
  const { segments } = rendered;
  const count = countTokens(segments, tokenizer, settings.supervision, undefined);
  const stretches = stretchesOf(superviseSegments(segments, settings.supervision));
  if (format === "json") return jsonText({ format_version: 1, line: number, ...count, stretches });
  const text = stretches.map(({ text, trained }) => (trained ? `⟦${text}⟧` : text)).join("");
  const of = `${formatCount(count.supervised)} of ${formatCount(count.length)} tokens`;
  return `${printableLines(text)}\n\nThe loss counts ${of}, those of the text in ⟦ ⟧.\n`;
}

async function lineOf(host: Host, file: DataFile, number: number): Promise<Line> {
  for await (const line of readLines(host.stream(file.path))) {
    if (line.number === number) return line;
  }
  throw new HostError(file.name, `has no line ${number}`);
}

function stretchesOf(segments: readonly Segment[]): readonly Stretch[] {
  const found: { text: string; trained: boolean }[] = [];
  const add = (text: string, trained: boolean) => {
    const last = found.at(-1);
    if (text === "") return;
    if (last?.trained === trained) last.text += text;
    else found.push({ text, trained });
  };
  for (const { text, header, trained } of segments) {
    add(header, false);
    add(text.slice(header.length), trained);
  }
  return found;
}
