import { describe, expect, it } from "vitest";
import {
  type CollectiveCounts,
  type CollectiveSetting,
  communicationRow,
  fitLatency,
} from "../../src/cost/collectives.js";
import type { CollectiveTable } from "../../src/cost/hardware.js";

/** 60 us to start and 6 a megabyte, 66 at least: of a gather; a reduce-scatter takes twice as long. */
const table = (ranks: number, nodes: number, scale = 1): CollectiveTable => ({
  ranks,
  nodes,
  megabytes: [1, 10, 100],
  all_gather_us: [66, 120, 660].map((time) => scale * time),
  reduce_scatter_us: [66, 120, 660].map((time) => 2 * scale * time),
});
/** The same, with an all-to-all three times as long as a gather. */
const measured = (ranks: number): CollectiveTable => ({
  ...table(ranks, 1),
  all_to_all_us: [198, 360, 1980],
});
const SETTING: CollectiveSetting = {
  tables: [measured(8)],
  networkBytesPerSecond: 50e9,
  networkMeasured: false,
  crossingFactor: 4,
  ranksPerNode: 8,
  bytesPerToken: 1000,
  counts: { gathers: 5, scatters: 7, all_to_alls: 11 },
};
const close = (row: readonly number[]) => row.map((value) => expect.closeTo(value, 9));
const row = (degree: number, change: Partial<CollectiveSetting> = {}) =>
  communicationRow(degree, { ...SETTING, ...change });
/** us a byte of one collective. */
const slope = (degree: number, counts: CollectiveCounts, change: Partial<CollectiveSetting> = {}) =>
  row(degree, { ...change, counts })[2] / 1000;

describe("a fitted latency", () => {
  it("is the line that the measurements are on, and the smallest message's time", () => {
    const { floor, intercept, slope } = fitLatency([1, 10, 100], [66, 120, 660]);
    expect([floor, intercept, slope]).toEqual(close([66, 60, 6]));
  });

  it("counts relative errors", () => {
    // Sums of 1, x, y, xx and xy with weights 1, 1/4 and 1/16.
    const { floor, intercept, slope } = fitLatency([0, 2, 2], [1, 2, 4]);
    const [w, x, y, xx, xy] = [21 / 16, 10 / 16, 28 / 16, 20 / 16, 24 / 16];
    const expected = (w * xy - x * y) / (w * xx - x * x);
    expect([floor, intercept, slope]).toEqual(close([1, (y - expected * x) / w, expected]));
    expect(expected).toBeCloseTo(0.7, 9);
  });

  it("never starts before it begins", () => {
    expect(fitLatency([1, 2], [1, 4]).intercept).toBe(0);
  });
});

describe("collectives of a group", () => {
  const [COUNT, BYTES] = [5 + 2 * 7 + 3 * 11, 1000 * 6e-6];

  it("take what was measured on as many ranks, each kind its own times", () => {
    expect(row(8)).toEqual(close([COUNT * 66, COUNT * 60, COUNT * BYTES]));
    expect(row(8, { counts: {} })).toEqual([0, 0, 0]);
  });

  it("take a reduce-scatter's times for an all-to-all that was not measured", () => {
    const counts = { all_to_alls: 3 };
    const times = row(8, { counts, tables: [table(8, 1)] });
    expect(times).toEqual(close([6 * 66, 6 * 60, 6 * BYTES]));
  });

  it("move a smaller share of the whole over fewer ranks", () => {
    const share = 1 / 2 / (7 / 8);
    expect(row(2)).toEqual(close([COUNT * 66, COUNT * 60, COUNT * BYTES * share]));
  });

  it("take a measured table of the nearest size, and one that crosses nodes for a group that does", () => {
    const tables = [table(64, 8, 7), table(2, 1, 3), table(16, 2, 5), table(8, 1)];
    const floors = [2, 4, 8, 16, 32, 64].map(
      (degree) => row(degree, { tables, counts: { gathers: 1 } })[0] / 66,
    );
    expect(floors).toEqual(close([3, 3, 1, 5, 5, 7]));
    const own = row(16, { tables, counts: { gathers: 2 } });
    expect(own).toEqual(close([2 * 5 * 66, 2 * 5 * 60, 2 * 5 * BYTES]));
  });

  it("take one between nodes where nothing else was measured", () => {
    const only = row(4, { tables: [table(16, 2)], counts: { gathers: 1 } });
    expect(only[0]).toBeCloseTo(66, 9);
    expect(only[2]).toBeCloseTo((BYTES * (3 / 4)) / (15 / 16), 9);
  });
});

describe("a group that crosses nodes where the network by itself was measured", () => {
  const network = { networkMeasured: true, networkBytesPerSecond: 1e9, crossingFactor: 3 };
  const tables = [table(8, 1), table(16, 2, 5), table(16, 4, 7)];
  const own = (degree: number, change: Partial<CollectiveSetting> = {}) =>
    row(degree, { ...network, tables, counts: { gathers: 1 }, ...change });

  it("takes a table of as many ranks on as many nodes", () => {
    expect(own(16)[0]).toBeCloseTo(5 * 66, 9);
    expect(own(16, { ranksPerNode: 4 })[0]).toBeCloseTo(7 * 66, 9);
  });

  it("follows from the network on other nodes, whose share of a table is another", () => {
    const [floor, , perToken] = own(32);
    expect(floor).toBeCloseTo(3 * 66, 9);
    expect(perToken / 1000).toBeCloseTo(3 / 4 / 8e3, 12);
  });

  it("takes what there is without a table inside of a node", () => {
    expect(own(32, { tables: [table(16, 2, 5)] })[0]).toBeCloseTo(5 * 66, 9);
  });
});

describe("a group that crosses nodes without a table of its own", () => {
  const slow = { networkBytesPerSecond: 1e9 };

  it("takes four times as long to start", () => {
    const [floor, intercept] = row(16);
    const count = 5 + 2 * 7 + 3 * 11;
    expect([floor, intercept]).toEqual(close([4 * count * 66, 4 * count * 60]));
    expect(row(8)[0]).toBeCloseTo(count * 66, 9);
  });

  it("brings every byte of a ring into a node once, over all of its cards", () => {
    // Of 2 nodes a half; 8 cards of 1 GB/s.
    expect(slope(16, { gathers: 1 }, slow)).toBeCloseTo(1 / 2 / 8e3, 12);
    expect(slope(16, { scatters: 1 }, slow)).toBeCloseTo(1 / 2 / 8e3, 12);
    // Of 4 nodes three quarters.
    expect(slope(32, { gathers: 1 }, slow)).toBeCloseTo(3 / 4 / 8e3, 12);
    // 12 ranks are 6 on each of 2 nodes.
    expect(slope(12, { gathers: 1 }, slow)).toBeCloseTo(1 / 2 / 6e3, 12);
    expect(slope(4, { gathers: 3 }, { ...slow, ranksPerNode: 2 })).toBeCloseTo(3 / 2 / 2e3, 12);
  });

  it("sends what an all-to-all has for other nodes over one card a rank", () => {
    expect(slope(16, { all_to_alls: 1 }, slow)).toBeCloseTo(1 / 2 / 1e3, 12);
    expect(slope(32, { all_to_alls: 2 }, slow)).toBeCloseTo((2 * 3) / 4 / 1e3, 12);
  });

  it("is no faster than inside of a node", () => {
    const fast = { networkBytesPerSecond: 1e15 };
    const inside = (6e-6 * (15 / 16)) / (7 / 8);
    expect(slope(16, { gathers: 1 }, fast)).toBeCloseTo(inside, 12);
    expect(slope(16, { scatters: 1 }, fast)).toBeCloseTo(2 * inside, 12);
    expect(slope(16, { all_to_alls: 1 }, fast)).toBeCloseTo(3 * inside, 12);
  });

  it("has no network between its ranks inside of a node", () => {
    expect(slope(8, { gathers: 1 }, { networkBytesPerSecond: 1 })).toBeCloseTo(6e-6, 12);
  });
});
