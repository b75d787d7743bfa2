import { describe, expect, it } from "vitest";
import { random32, randomBelow } from "../../src/foundation/random.js";
import { makeCell } from "../../src/schedule/cell/cell.js";
import { construct, LITTLE } from "../../src/schedule/construct/construct.js";
import { rowsTime } from "../../src/schedule/rows.js";
import { Energy } from "../../src/schedule/search/energy.js";
import { Slots } from "../../src/schedule/search/slots.js";
import { type Workload, workloadOf } from "../../src/schedule/workload.js";
import { randomProblem } from "./random-problem.js";

/** Workloads of random problems in which every sequence fits somewhere, and a schedule of each. */
function* started(stream: number, count: number) {
  for (let n = 0; n < count; n += 1) {
    const workload = workloadOf(randomProblem(stream, n));
    const { order, levels, capacity } = workload;
    const fits = (sequence: number) =>
      levels.some(({ units }) => (units[sequence] as number) <= capacity);
    if (order.length < 2 || !order.every(fits)) continue;
    yield { workload, rows: construct(workload, LITTLE), seed: n };
  }
}

/** What a cell of the slots is, worked out from scratch. */
function cellOf(slots: Slots, cell: number, workload: Workload) {
  const members = slots.members[cell] as number[];
  const levels = members.map((sequence) => slots.levelOf[sequence] as number);
  return makeCell(
    members,
    levels,
    members.map((sequence) => slots.firstOf(sequence)),
    workload,
  );
}

/** Moves a sequence to a random place that has room; where it was, if none does. */
function moveOne(slots: Slots, workload: Workload, below: (bound: number) => number): void {
  const sequence = below(workload.order.length);
  const [cell, level, group] = [slots.cellOf, slots.levelOf, slots.groupOf].map(
    (values) => values[sequence] as number,
  ) as [number, number, number];
  slots.take(sequence);
  const to = below(slots.count);
  const n = below(workload.levels.length);
  const place = below(slots.groupsOf(n));
  if (slots.fits(sequence, to, n, place)) slots.put(sequence, to, n, place);
  else slots.put(sequence, cell, level, group);
  for (const changed of new Set([cell, to])) slots.evaluate(changed);
}

describe("places of sequences", () => {
  it("keep every cell's time, and the schedule's, as moves change them", () => {
    let looked = 0;
    for (const { workload, rows, seed } of started(71, 80)) {
      const slots = new Slots(rows, workload);
      const random = random32(seed, 1);
      for (let n = 0; n < 60; n += 1)
        moveOne(slots, workload, (bound) => randomBelow(random, bound));
      for (let cell = 0; cell < slots.count; cell += 1) {
        const exact = cellOf(slots, cell, workload);
        expect(slots.time[cell]).toBeCloseTo(exact.time, 5);
        looked += 1;
      }
      const energy = new Energy(slots, workload.rows);
      const inRows = slots.toRows();
      const empty = { ...workload, problem: { ...workload.problem, objective: "free" as const } };
      expect(energy.time()).toBeCloseTo(rowsTime(inRows, empty), 5);
      const before = slots.time.slice();
      slots.rebuild();
      for (const [cell, time] of slots.time.entries())
        expect(time).toBeCloseTo(before[cell] as number, 5);
    }
    expect(looked).toBeGreaterThan(200);
  });

  it("never take more memory than a rank has", () => {
    for (const { workload, rows, seed } of started(72, 60)) {
      const slots = new Slots(rows, workload);
      const random = random32(seed, 2);
      for (let n = 0; n < 60; n += 1)
        moveOne(slots, workload, (bound) => randomBelow(random, bound));
      for (const members of slots.members) {
        const used = new Float64Array(workload.size);
        for (const sequence of members) {
          const { degree, units } = workload.levels[
            slots.levelOf[sequence] as number
          ] as Workload["levels"][number];
          const first = slots.firstOf(sequence);
          for (let r = first; r < first + degree; r += 1)
            used[r] = (used[r] as number) + (units[sequence] as number);
        }
        expect(Math.max(...used)).toBeLessThanOrEqual(workload.capacity);
      }
    }
  });

  it("know which sequences lie on the slowest rank", () => {
    for (const { workload, rows } of started(73, 40)) {
      const slots = new Slots(rows, workload);
      for (const [cell, members] of slots.members.entries()) {
        if (members.length === 0) {
          expect([slots.time[cell], slots.mean[cell]]).toEqual([0, 0]);
          continue;
        }
        const rank = slots.slowest[cell] as number;
        const lying = members.filter((sequence) => slots.isOn(sequence, rank));
        expect(lying.length).toBeGreaterThan(0);
        const { cost } = workload.problem;
        expect(slots.mean[cell]).toBeLessThanOrEqual((slots.time[cell] as number) * (1 + 1e-12));
        expect(slots.time[cell]).toBeGreaterThanOrEqual(cost.least + cost.fixed);
      }
    }
  });
});
