import { type Host, HostError } from "../host/host.js";
import type {
  FileMeasurement,
  MalformedLine,
  TemplateDifference,
  UnreadKey,
} from "./measurement.js";

interface Description {
  readonly sha256: string;
  readonly bytes: number;
  readonly blocks: readonly string[];
  readonly malformed: number;
  readonly problems: readonly (readonly [number, string])[];
  readonly methods: Readonly<Record<string, number>>;
  readonly marked: number;
  readonly ledger: readonly UnreadKey[];
  readonly difference: TemplateDifference | null;
}

interface Tensor {
  readonly data_offsets: readonly [number, number];
}

/** A file's samples from the table that the engine wrote (`skrull_runtime/data/measure.py`). @throws HostError */
export function readMeasurement(host: Host, path: string): FileMeasurement {
  const bytes = host.readBytes(path);
  try {
    return measurementOf(bytes);
  } catch (error) {
    throw new HostError(path, `is no table of samples (${(error as Error).message})`);
  }
}

function measurementOf(bytes: Uint8Array): FileMeasurement {
  // Typed arrays need an aligned start.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const size = Number(new DataView(buffer, byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(aligned.subarray(8, 8 + size));
  const header = JSON.parse(text) as Record<string, Tensor> & {
    readonly __metadata__: { readonly skrull: string };
  };
  const column = (name: string): Uint32Array => {
    const [from, to] = header[name]?.data_offsets ?? [0, -1];
    return new Uint32Array(buffer, byteOffset + 8 + size + from, (to - from) / 4);
  };
  const about = JSON.parse(header.__metadata__.skrull) as Description;
  return {
    sha256: about.sha256,
    bytes: about.bytes,
    blocks: about.blocks,
    block: column("block"),
    row: column("row"),
    line: column("line"),
    length: column("length"),
    supervised: column("supervised"),
    fullLength: column("full"),
    turns: column("turns"),
    check: column("check"),
    content: column("content"),
    malformedLines: about.malformed,
    malformed: about.problems.map(malformedLine),
    methods: about.methods,
    marked: about.marked,
    unread: about.ledger,
    difference: about.difference,
  };
}

const malformedLine = ([line, reason]: readonly [number, string]): MalformedLine => ({
  line,
  reason,
});
