import { engineOf } from "../engine/engine.js";
import { formatCount } from "../foundation/format.js";
import { jsonText } from "../foundation/json.js";
import { printableLines } from "../foundation/printable.js";
import type { Host } from "../host/host.js";
import { type Counting, type DataFile, requestFields } from "../lengths/measure.js";

/** Which rows to look at. */
export type Which =
  | { readonly line: number }
  | { readonly longest: true }
  | { readonly random: number; readonly seed: number }
  | { readonly unsupervised: number };

/** A sample as it is trained on, as the engine shows it (`skrull_runtime/data/show.py`). */
interface ShownSample {
  readonly line: number;
  readonly ids: readonly number[];
  /** Ranges of tokens that the loss counts. */
  readonly supervised: readonly (readonly [number, number])[];
  /** How many of them are targets. */
  readonly targets: number;
  /** Before truncation. */
  readonly tokens: number;
  readonly text: string;
  /** How it was found what the loss counts. */
  readonly mask: string;
  readonly stretches: readonly (readonly [string, boolean])[];
}

/**
 * Samples of a file as they are trained on, with what the loss counts marked.
 *
 * @throws EngineError where there is no such row, or it cannot be trained on
 */
export async function showSamples(
  host: Host,
  file: DataFile,
  which: Which,
  counting: Counting,
  format: "pretty" | "json",
): Promise<string> {
  const fields = { ...requestFields(host, counting), file: file.path, which };
  const engine = engineOf(host, counting.folder);
  const samples = (await engine.request("show", fields)) as readonly ShownSample[];
  if (format === "json") return jsonText(documentOf(samples));
  return samples.length === 0 ? "No such sample.\n" : samples.map(described).join("\n");
}

/** One sample is the document itself. */
function documentOf(samples: readonly ShownSample[]): object {
  const [first] = samples;
  const version = { format_version: 1 };
  if (first && samples.length === 1) return { ...version, ...withoutStretches(first) };
  return { ...version, samples: samples.map(withoutStretches) };
}

function withoutStretches({ stretches: _, ...rest }: ShownSample) {
  return rest;
}

/** Characters of a stretch of text that are shown at each of its ends. */
const SHOWN = 2_000;

function described({ line, targets, ids, tokens, mask, stretches }: ShownSample): string {
  const text = stretches
    .map(([part, trained]) => (trained ? `⟦${shortened(part)}⟧` : shortened(part)))
    .join("");
  const cut = ids.length < tokens ? `, cut from ${formatCount(tokens)}` : "";
  const of = `${formatCount(targets)} of ${formatCount(ids.length)} tokens${cut}`;
  return `line ${line}\n${printableLines(text)}\n\nThe loss counts ${of}, those of the text in ⟦ ⟧ (${FOUND[mask] ?? mask}).\n`;
}

const FOUND: Readonly<Record<string, string>> = {
  generation: "marked by the template",
  twin: "marked by a training twin of the template",
  prefix: "found by rendering with fewer messages",
  declared: "given by the declared template",
  text: "everything after the prompt",
  tokens: "given by the data",
};

function shortened(text: string): string {
  if (text.length <= 3 * SHOWN) return text;
  const left = formatCount(text.length - 2 * SHOWN);
  return `${text.slice(0, SHOWN)} … (${left} characters) … ${text.slice(-SHOWN)}`;
}
