import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { readDimensions } from "../../src/catalogue/dimensions.js";
import { gpuByName } from "../../src/catalogue/names.js";
import { ROOT } from "../cli/run.js";

interface Point {
  readonly id: string;
  readonly source: string;
  readonly model: string;
  readonly gpu: string;
  readonly nodes: number;
  readonly gpus: number;
  readonly samples: number;
  readonly tokens: number;
  readonly context: number;
  readonly bucket: number;
  readonly trust: string;
  readonly memory_comparable?: boolean;
  readonly measured: {
    readonly tokens_per_second_per_gpu?: number;
    readonly step_seconds?: number;
    readonly memory_gib?: number;
  };
}

interface Published {
  readonly sources: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly models: Readonly<Record<string, object>>;
  readonly points: readonly Point[];
}

/** What the benchmark says of a point. */
interface Row {
  readonly id: string;
  readonly trust: string;
  readonly kind: string;
  readonly predicted_gib: number;
  readonly published_gib: number | null;
  readonly memory_ratio: number | null;
  readonly predicted_seconds: number;
  readonly published_seconds: number | null;
  readonly time_ratio: number | null;
}

type Band = { readonly error: number; readonly points: number } | undefined;
interface Bands {
  readonly all: { readonly time: Band; readonly memory: Band };
  readonly kinds: Readonly<Record<string, { readonly time: Band; readonly memory: Band }>>;
}

/** A module of the benchmark, which has no types. */
const bench = (name: string) => import(`${ROOT}bench/truth/${name}.mjs`);
const { bandsOf, bandsText } = (await bench("bands")) as {
  bandsOf(rows: readonly Partial<Row>[]): Bands;
  bandsText(bands: Bands): string;
};
const { measuredSeconds } = (await bench("plan")) as {
  measuredSeconds(point: Partial<Point>): number | undefined;
};
const { published } = (await bench("points")) as { published(): Published };
const { sources, models, points } = published();

const run = (...more: readonly string[]) =>
  spawnSync(process.execPath, [`${ROOT}bench/truth/main.mjs`, ...more], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });

describe("published runs", () => {
  it("have names of their own", () => {
    expect(points.length).toBeGreaterThan(100);
    expect(new Set(points.map(({ id }) => id)).size).toBe(points.length);
  });

  it.each(
    points.map((point) => [point.id, point] as const),
  )("%s says what was run, where it is from and how far it is trusted", (_, point) => {
    expect(sources).toHaveProperty([point.source, "address"]);
    expect(models).toHaveProperty([point.model]);
    expect(gpuByName(point.gpu)?.device).toBe("cuda");
    expect(["good", "fair", "doubtful", "limit"]).toContain(point.trust);
    const { nodes, gpus, samples, tokens, context, bucket } = point;
    for (const count of [nodes, gpus, samples, tokens, context, bucket]) {
      expect(Number.isSafeInteger(count)).toBe(true);
      expect(count).toBeGreaterThan(0);
    }
    // A sequence fits into the buckets of the ranks that share it.
    expect(bucket * context).toBeGreaterThanOrEqual(tokens);
    const figures = Object.values(point.measured);
    expect(figures.length).toBeGreaterThan(0);
    for (const figure of figures) expect(figure).toBeGreaterThan(0);
  });

  it.each(
    Object.entries(sources),
  )("%s says what it is, where it is and how it differs", (name, source) => {
    expect(Object.keys(source).sort()).toEqual(["address", "differs", "title"]);
    for (const text of Object.values(source)) expect(text.trim()).not.toBe("");
    // A file at a commit, a paper, a page, or pull requests.
    expect(source["address"]).toMatch(
      /^(github:[\w.-]+\/[\w.-]+@[0-9a-f]{7,40} |arXiv:|https:\/\/|[\w-]+\/[\w-]+ pull requests \d)/,
    );
    expect(points.map((point) => point.source)).toContain(name);
  });

  it.each(Object.entries(models))("%s has dimensions that can be planned with", (name, config) => {
    expect(readDimensions(config)).toMatchObject({ ok: true });
    expect(points.map(({ model }) => model)).toContain(name);
  });

  it("have steps of their tokens over their speed, where no time is stated", () => {
    const point = { samples: 12, tokens: 1000, nodes: 2, gpus: 3 };
    expect(measuredSeconds({ ...point, measured: { tokens_per_second_per_gpu: 40 } })).toBe(50);
    const both = { tokens_per_second_per_gpu: 40, step_seconds: 7 };
    expect(measuredSeconds({ ...point, measured: both })).toBe(7);
    expect(measuredSeconds({ ...point, measured: { memory_gib: 1 } })).toBeUndefined();
  });
});

describe("error bands", () => {
  const rows = (kind: string, ratios: readonly number[], trust = "good") =>
    ratios.map((time_ratio) => ({ kind, trust, time_ratio, memory_ratio: null }));
  const five = rows("b", [1, 0.5, 1.305, 0.8, 1.12]);

  it("are within what four fifths of the points are, too much or too little, in whole percents", () => {
    // Errors of 0, 100, 30.5, 25 and 12%: the fourth is 30.5.
    expect(bandsOf(five).kinds["b"]?.time).toEqual({ error: 0.31, points: 5 });
    // The fifth of six.
    expect(bandsOf([...five, ...rows("b", [1.01])]).all.time).toEqual({ error: 0.31, points: 6 });
  });

  it("are those of all points where a kind has few, and none where all are few", () => {
    const bands = bandsOf([...five, ...rows("a", [1, 1, 1, 1])]);
    expect(Object.keys(bands.kinds)).toEqual(["a", "b"]);
    expect(bands.kinds["a"]?.time).toEqual({ error: 0.31, points: 9 });
    expect(bands.all.memory).toBeUndefined();
    expect(bandsOf(five.slice(1)).all.time).toBeUndefined();
  });

  it("count neither points at a limit nor doubtful ones", () => {
    const wrong = [...rows("b", [9, 9], "doubtful"), ...rows("c", [9], "limit")];
    expect(bandsOf([...five, ...wrong])).toEqual(bandsOf(five));
    expect(bandsOf([...five, ...rows("b", [9], "fair")]).all.time?.points).toBe(6);
  });

  it("are a module that says who wrote it", () => {
    const text = bandsText({ all: { time: undefined, memory: undefined }, kinds: {} });
    expect(text).toContain("// Written by `npm run bench:truth -- --write`. Do not edit.\n");
    expect(text).toContain("export const BANDS = {\n  all: {},\n  kinds: {}\n} as const;\n");
  });
});

describe("the benchmark of published runs", () => {
  let found: readonly Row[] = [];
  beforeAll(() => {
    const { stdout, stderr, status } = run("--format", "json");
    if (status !== 0) throw new Error(stderr);
    found = JSON.parse(stdout);
  }, 180_000);

  it("predicts bytes and seconds of every one", () => {
    expect(found.map(({ id }) => id)).toEqual(points.map(({ id }) => id));
    for (const { id, predicted_gib, predicted_seconds } of found)
      for (const figure of [predicted_gib, predicted_seconds]) {
        expect(Number.isFinite(figure), id).toBe(true);
        expect(figure, id).toBeGreaterThan(0);
      }
  });

  it("holds them against what was measured", () => {
    for (const [at, row] of found.entries()) {
      const { measured, memory_comparable: comparable } = points[at] as Point;
      const seconds = measuredSeconds(points[at] as Point);
      expect(row.published_gib, row.id).toBe(measured.memory_gib ?? null);
      expect(row.published_seconds, row.id).toBe(seconds ?? null);
      const ratios = [
        [row.memory_ratio, row.predicted_gib, comparable ? row.published_gib : null],
        [row.time_ratio, row.predicted_seconds, row.published_seconds],
      ] as const;
      for (const [ratio, predicted, stated] of ratios)
        if (stated === null) expect(ratio, row.id).toBeNull();
        else expect(ratio, row.id).toBeCloseTo(predicted / stated, 12);
    }
  });

  it("writes the error bands that plans have", () => {
    const written = readFileSync(`${ROOT}src/plan/bands.generated.ts`, "utf8");
    expect(written).toBe(bandsText(bandsOf(found)));
  });

  it("says where no point has such a name, and wants all points for bands", () => {
    const none = run("--only", "no such run");
    expect(none.status).toBe(2);
    expect(none.stderr).toContain('no point\'s name has "no such run"');
    const some = run("--only", points[0]?.id ?? "", "--write");
    expect([some.status, some.stderr]).toEqual([2, expect.stringContaining("--write needs all")]);
  });
});
