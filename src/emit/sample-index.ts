import type { SampleColumns, SampleIndex } from "../lengths/prepare-data.js";
import type { EmittedFile } from "./emitted-file.js";

/** Samples that a JSON file still carries well; more of them are a table of their own. */
const MOST_IN_JSON = 100_000;

/**
 * `NAME.json`, where the samples of a run are; the columns of many samples lie beside it in a file of safetensors,
 * which ranks map instead of parsing it.
 *
 * @param sha256 of bytes
 * @param most samples whose columns are in the JSON file
 */
export function indexFiles(
  name: string,
  { files, blocks, samples }: SampleIndex,
  sha256: (bytes: Uint8Array) => string,
  most = MOST_IN_JSON,
): readonly EmittedFile[] {
  const inside = samples.length.length <= most;
  const file = `${name}.safetensors`;
  const content = inside ? undefined : tableOf(samples);
  const columns = inside
    ? `  "samples": {\n${columnLines(samples)}\n  }`
    : `  "table": ${JSON.stringify({ file, count: samples.length.length, sha256: content && sha256(content) })}`;
  const lines = [
    `  "format_version": 2,`,
    `  "files": ${JSON.stringify(files)},`,
    `  "blocks": ${JSON.stringify(blocks)},`,
    columns,
  ];
  const index = { path: `${name}.json`, content: `{\n${lines.join("\n")}\n}\n` };
  return content ? [index, { path: file, content }] : [index];
}

/** One line a column: compact, and a changed sample shows as a changed line in a diff of its column only. */
const columnLines = (samples: SampleColumns): string =>
  Object.entries(samples)
    .map(([column, values]) => `    ${JSON.stringify(column)}: ${JSON.stringify([...values])}`)
    .join(",\n");

/** Columns of 32 bits, as `skrull_runtime/data/tokenised/columns.py` reads them. */
function tableOf(samples: SampleColumns): Uint8Array {
  const columns = Object.entries(samples).map(
    ([name, values]) => [name, Uint32Array.from(values as Iterable<number>)] as const,
  );
  let end = 0;
  const entries = columns.map(([name, { byteLength, length }]) => {
    const start = end;
    end += byteLength;
    return [name, { dtype: "U32", shape: [length], data_offsets: [start, end] }] as const;
  });
  const about = { __metadata__: { skrull: "{}" }, ...Object.fromEntries(entries) };
  const text = JSON.stringify(about);
  const header = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const bytes = new Uint8Array(8 + header.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const [, column] of columns) {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    at += column.byteLength;
  }
  return bytes;
}
