export interface Decoded {
  /** Where the bytes are not UTF-8, with marks in place of what is not. */
  readonly text: string;
  /** Why they are not, and where in the text. */
  readonly problem?: { readonly what: string; readonly offset: number };
}

/** Text of a file's bytes, a byte-order mark included. Never throws. */
export function decodeUtf8(bytes: Uint8Array): Decoded {
  const other = otherEncoding(bytes);
  if (other !== undefined) {
    const text = new TextDecoder(other.label).decode(bytes);
    return { text, problem: { what: `it looks like ${other.name}`, offset: 0 } };
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const { offset, byte } = firstInvalid(bytes, text);
    const shown = (bytes[byte] ?? 0).toString(16).toUpperCase().padStart(2, "0");
    return { text, problem: { what: `byte ${byte + 1} is 0x${shown}`, offset } };
  }
}

const UTF16 = {
  little: { name: "UTF-16 (little endian)", label: "utf-16le" },
  big: { name: "UTF-16 (big endian)", label: "utf-16be" },
} as const;

/** By its mark, or by the zeros that plain text has in every second byte. */
function otherEncoding(bytes: Uint8Array) {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return UTF16.little;
  if (first === 0xfe && second === 0xff) return UTF16.big;
  const start = bytes.subarray(0, 64);
  if (start.length < 4 || bytes.length % 2 === 1) return undefined;
  const zeros = (parity: number) => start.every((byte, n) => (n % 2 === parity) === (byte === 0));
  return zeros(1) ? UTF16.little : zeros(0) ? UTF16.big : undefined;
}

const MARK = "\uFFFD";

/** Where decoding put a mark that the bytes do not have themselves. */
function firstInvalid(bytes: Uint8Array, text: string): { offset: number; byte: number } {
  const encoder = new TextEncoder();
  const own = encoder.encode(MARK);
  let byte = 0;
  let done = 0;
  for (;;) {
    const offset = text.indexOf(MARK, done);
    byte += encoder.encode(text.slice(done, offset)).length;
    if (!own.every((value, n) => bytes[byte + n] === value)) return { offset, byte };
    byte += own.length;
    done = offset + 1;
  }
}
