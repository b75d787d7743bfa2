import type { Plan } from "../plan/plan.js";
import type { Schedule } from "../schedule/schedule.js";
import { schedulingConfig } from "./run-values.js";

/** Every step's schedule of a run, and how to hash. */
export interface PlannedSchedules {
  readonly schedules: readonly Schedule[];
  readonly lengths: readonly number[];
  readonly sha256: (bytes: Uint8Array | string) => string;
}

export const SCHEDULES_FILE = "schedules.bin";
const MAGIC = "skrull schedules 1\n";

/**
 * The schedules of a run in a few bytes per sequence (skrull_runtime/scheduling/replay.py reads them): a line that names the
 * format; a line of JSON that says what they were made for; then for every step its predicted time in us (float64,
 * little-endian), the number of bytes that follow, and for every sequence its micro-batch and its group. Whole
 * numbers are LEB128. Groups are numbered by degree, then by first rank.
 */
export function packSchedules(plan: Plan, planned: PlannedSchedules): Uint8Array {
  const ranks = plan.topology.ranks;
  const body = concatenate(planned.schedules.map((schedule) => packStep(schedule, ranks)));
  const { mode: _m, strict: _s, forecast: _f, ...scheduling } = schedulingConfig(plan);
  const header = {
    scheduling,
    steps: planned.schedules.length,
    lengths_sha256: planned.sha256(planned.lengths.join(",")),
    body_sha256: planned.sha256(body),
  };
  const text = new TextEncoder().encode(`${MAGIC}${JSON.stringify(header)}\n`);
  return concatenate([text, body]);
}

function packStep({ micro_batches, iteration_time }: Schedule, ranks: number): Uint8Array {
  const placed: [number, number][] = [];
  for (const { index, placements } of micro_batches) {
    for (const { sequence, first_rank, degree } of placements) {
      placed[sequence] = [index, groupNumber(degree, first_rank, ranks)];
    }
  }
  const bytes: number[] = [];
  for (const [microBatch, group] of placed) {
    pushNumber(bytes, microBatch);
    pushNumber(bytes, group);
  }
  const count: number[] = [];
  pushNumber(count, bytes.length);
  const time = new Uint8Array(8);
  new DataView(time.buffer).setFloat64(0, iteration_time, true);
  return concatenate([time, Uint8Array.from(count), Uint8Array.from(bytes)]);
}

/** Degrees are those that divide the ranks, ascending; each has ranks / degree groups. */
function groupNumber(degree: number, firstRank: number, ranks: number): number {
  let before = 0;
  for (let d = 1; d < degree; d += 1) if (ranks % d === 0) before += ranks / d;
  return before + firstRank / degree;
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
