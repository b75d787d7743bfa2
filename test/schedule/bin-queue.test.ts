import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BinQueue } from "../../src/schedule/cell/bin-queue.js";
import { type Bins, leastLoaded, put } from "../../src/schedule/cell/bins.js";

const items = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 12 })));
const rooms = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 20 });

const binsOf = (room: readonly number[], more: number): Bins => ({
  load: Float64Array.from([...room, ...new Array(more).fill(0)], (_, bin) => bin % 3),
  room: Float64Array.from([...room, ...new Array(more).fill(30)]),
});

describe("bins in the order of their load", () => {
  it("take an item where a look at all of them would put it, whether needs fall or not", () => {
    fc.assert(
      fc.property(rooms, items, fc.boolean(), (room, drawn, falling) => {
        const own = falling ? [...drawn].sort((a, b) => b[1] - a[1]) : drawn;
        const fast = binsOf(room, own.length);
        const plain = binsOf(room, own.length);
        const queue = new BinQueue(fast, room.length);
        let count = room.length;
        for (const [work, units] of own) {
          const bin = leastLoaded(plain, count, units);
          expect(queue.place(work, units)).toBe(bin);
          if (bin >= 0) put(plain, bin, work, units);
          else {
            queue.open(count);
            count += 1;
          }
          expect(fast).toEqual(plain);
        }
      }),
      { numRuns: 500 },
    );
  });
});
