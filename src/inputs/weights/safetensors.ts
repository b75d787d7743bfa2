import { decodeUtf8 } from "../../foundation/encoding.js";
import { type Host, HostError } from "../../host/host.js";

/** A tensor as a header describes it. */
export interface StoredTensor {
  /** By the format's name, such as `BF16`. */
  readonly type: string;
  readonly shape: readonly number[];
}

/** As the format's own library limits it. */
const LARGEST_HEADER = 100_000_000;
/** Bytes of the header's length, a whole number in little-endian order. */
const LENGTH_BYTES = 8;

/**
 * The tensors of a file by name, from its header alone.
 *
 * @throws HostError also where the file is damaged or cut short
 */
export function readHeader(host: Host, path: string): ReadonlyMap<string, StoredTensor> {
  const size = host.status(path)?.bytes ?? 0;
  const length = headerLength(host.readRange(path, 0, LENGTH_BYTES));
  if (length === undefined || length > Math.min(LARGEST_HEADER, size - LENGTH_BYTES))
    throw new HostError(path, "is not a safetensors file, or only the beginning of one");
  const header = parse(path, host.readRange(path, LENGTH_BYTES, length));
  let end = 0;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const tensor = tensorOf(entry);
    if (!tensor) throw new HostError(path, "has a header that does not describe tensors");
    tensors.set(name, tensor);
    end = Math.max(end, tensor.end);
  }
  if (LENGTH_BYTES + length + end !== size)
    throw new HostError(path, "is not as long as its header says: was it copied completely?");
  return tensors;
}

function headerLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = Number(view.getBigUint64(0, true));
  return length > 0 ? length : undefined;
}

function parse(path: string, bytes: Uint8Array): object {
  const { text } = decodeUtf8(bytes);
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch {
    // said below
  }
  throw new HostError(path, "has a header that is not a JSON object");
}

function tensorOf(entry: unknown): (StoredTensor & { readonly end: number }) | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { dtype: type, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  const sound = typeof type === "string" && areCounts(shape) && areCounts(offsets);
  const end = sound ? offsets[1] : undefined;
  return sound && end !== undefined ? { type, shape, end } : undefined;
}

function areCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
