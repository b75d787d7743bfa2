/** Shapes of tensors by name. */
export type Shapes = Record<string, readonly number[]>;

const BYTES: Readonly<Record<string, number>> = { BF16: 2, I8: 1 };

/** The text of a file with these tensors, all of them zeros. */
export function safetensors(tensors: Shapes, type = "BF16"): string {
  let at = 0;
  const entries = Object.entries(tensors).map(([name, shape]) => {
    const start = at;
    at += shape.reduce((size, n) => size * n, BYTES[type] ?? 0);
    return [name, { dtype: type, shape, data_offsets: [start, at] }];
  });
  let header = JSON.stringify(Object.fromEntries(entries));
  // Bytes of the length that are characters of UTF-8 by themselves.
  while (header.length % 256 > 127) header += " ";
  const length = String.fromCharCode(header.length % 256, header.length >> 8, 0, 0, 0, 0, 0, 0);
  return length + header + "\0".repeat(at);
}
