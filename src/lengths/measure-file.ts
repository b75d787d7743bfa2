import type { Digest } from "../host/host.js";
import { countTokens } from "./count.js";
import { parseSample } from "./format.js";
import { type Line, readLines } from "./lines.js";
import type { CountSettings, FileMeasurement, MalformedLine } from "./measurement.js";
import { type Rendered, type Rendering, renderSample, type Segment } from "./render.js";
import type { Tokenizer } from "./tokenizer.js";

const MALFORMED_KEPT = 20;

export interface Measuring {
  readonly tokenizer: Tokenizer;
  readonly settings: CountSettings;
  readonly digest: Digest;
  /** Told the bytes read so far, at most once per chunk. */
  readonly progress?: (bytes: number) => void;
}

/** Counts the tokens of every line of a JSONL file, in one pass and with one line in memory. */
export async function measureFile(
  chunks: AsyncIterable<Uint8Array>,
  measuring: Measuring,
): Promise<FileMeasurement> {
  const columns = new Columns();
  let bytes = 0;
  async function* observed() {
    for await (const chunk of chunks) {
      measuring.digest.update(chunk);
      bytes += chunk.length;
      yield chunk;
      measuring.progress?.(bytes);
    }
  }
  for await (const line of readLines(observed())) columns.add(line, measuring);
  return { sha256: measuring.digest.hex(), bytes, ...columns.result() };
}

/** A line's pieces, or what is wrong with it. */
export function renderLine({ text, problem }: Line, rendering: Rendering): Rendered {
  if (text === undefined) return { ok: false, reason: problem ?? "cannot be read" };
  const parsed = parseSample(text, rendering.format);
  return parsed.ok ? renderSample(parsed.sample, rendering) : parsed;
}

class Columns {
  readonly #offset: number[] = [];
  readonly #line: number[] = [];
  readonly #length: number[] = [];
  readonly #supervised: number[] = [];
  readonly #fullLength: number[] = [];
  readonly #malformed: MalformedLine[] = [];
  #malformedLines = 0;

  add(line: Line, measuring: Measuring): void {
    if (line.text === "") return;
    const rendered = renderLine(line, measuring.settings.rendering);
    if (rendered.ok) this.#count(line, rendered.segments, measuring);
    else this.#reject(line, rendered.reason);
  }

  #count(line: Line, segments: readonly Segment[], { tokenizer, settings }: Measuring): void {
    const full = countTokens(segments, tokenizer, settings.supervision, undefined);
    const limit = settings.truncateTo;
    const kept =
      limit === null || full.length <= limit
        ? full
        : countTokens(segments, tokenizer, settings.supervision, limit);
    this.#offset.push(line.offset);
    this.#line.push(line.number);
    this.#length.push(kept.length);
    this.#supervised.push(kept.supervised);
    this.#fullLength.push(full.length);
  }

  result() {
    return {
      offset: this.#offset,
      line: this.#line,
      length: this.#length,
      supervised: this.#supervised,
      fullLength: this.#fullLength,
      malformedLines: this.#malformedLines,
      malformed: this.#malformed,
    };
  }

  #reject(line: Line, reason: string): void {
    this.#malformedLines += 1;
    if (this.#malformed.length < MALFORMED_KEPT) {
      this.#malformed.push({ line: line.number, reason });
    }
  }
}
