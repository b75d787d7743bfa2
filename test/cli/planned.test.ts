import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { conversation, files, PYTHON, project, skrull } from "./run.js";

const LENGTHS = [3, 40, 700, 90, 12, 333, 5, 801, 60, 44, 9, 21, 500, 77, 8, 150, 640, 33];
const DATA = LENGTHS.map((length) => conversation("x".repeat(length))).join("");

function compiled(schedule: string, cluster = "{ gpus = 4 gpu = cpu }") {
  const parts = {
    schedule: `{ global_batch = 6 ${schedule} }`,
    cluster,
    parallel: "{ context = 2 }",
  };
  const train = "{ optimizer = adamw { lr = 1e-3 } epochs = 2 }";
  const folder = project({ ...files({ ...parts, train }), "data.jsonl": DATA });
  const run = skrull(["compile", "spec.skrull", "--out", "run"], { cwd: folder });
  expect(run.status, run.stderr).toBe(0);
  return { folder, run: join(folder, "run") };
}

function python(program: string, cwd: string) {
  const env = { ...process.env, DS_ACCELERATOR: "cpu", PYTHONDONTWRITEBYTECODE: "1" };
  return spawnSync(PYTHON, ["-c", program], { cwd, encoding: "utf8", env });
}

const REPLAY = `
import json
from pathlib import Path
from sampler import SCHEDULING, build_sampler
from skrull_runtime.config import problem_of
from skrull_runtime.data.index import read_index
from skrull_runtime.scheduling.replay import PlannedSchedules, ScheduleMismatch
from skrull_runtime.batches.sampler import schedule_batch
from skrull_runtime.scheduling import cells, cost, parse_problem
lengths = read_index(Path("data_index.json"), 2**40)[1]["length"]
try:
    planned = PlannedSchedules(Path("schedules.bin"), lengths, SCHEDULING)
except ScheduleMismatch as error:
    print(json.dumps(str(error)))
    raise SystemExit
result = []
for batch in build_sampler(lengths):
    own = [lengths[k] for k in batch.samples]
    replayed = planned.schedule(batch.step, own)
    problem = parse_problem(problem_of(SCHEDULING, own))
    micro_batches = [[cost.Placement(**p) for p in m["placements"]] for m in replayed["micro_batches"]]
    rows = cells.rows_of(micro_batches, cells.Workload(problem))
    placed = sorted(p.sequence for m in micro_batches for p in m)
    online = schedule_batch(batch, lengths, SCHEDULING)["iteration_time"]
    result.append([placed == list(range(len(own))), cells.rows_time(rows, problem), replayed["iteration_time"], online])
print(json.dumps({"planned": len(planned), "steps": result}))
`;

describe("planned mode", () => {
  for (const degrees of ["local-or-all", "powers-of-two", "pool"]) {
    it(`stores every step's schedule, which the runtime replays (${degrees})`, () => {
      const { run } = compiled(`mode = planned iterations = 200 degrees = ${degrees}`);
      const replay = python(REPLAY, run);
      expect(replay.status, replay.stderr).toBe(0);
      const { planned, steps } = JSON.parse(replay.stdout);
      expect(planned).toBe(6);
      expect(steps).toHaveLength(3);
      for (const [complete, evaluated, stored, online] of steps) {
        expect(complete).toBe(true);
        expect(stored).toBe(evaluated);
        expect(stored).toBeLessThanOrEqual(online);
      }
    });
  }

  it("takes a few bytes per sequence", () => {
    const { run } = compiled("mode = planned");
    const file = readFileSync(join(run, "schedules.bin"));
    const body = file.subarray(file.indexOf("\n", file.indexOf("\n") + 1) + 1);
    expect(body.length).toBeLessThanOrEqual(6 * 9 + 36 * 2);
  });

  it("is not there when online", () => {
    const { run } = compiled("mode = online");
    expect(() => readFileSync(join(run, "schedules.bin"))).toThrow();
  });

  const replayAfter = (change: (run: string) => void): string => {
    const { run } = compiled("mode = planned");
    change(run);
    const replay = python(REPLAY, run);
    expect(replay.status, replay.stderr).toBe(0);
    return JSON.parse(replay.stdout);
  };
  const edit = (name: string, from: RegExp, to: string) => (run: string) => {
    const path = join(run, name);
    const text = readFileSync(path, "utf8");
    expect(text).toMatch(from);
    writeFileSync(path, text.replace(from, to));
  };

  it("refuses schedules of other data, and says so", () =>
    expect(replayAfter(edit("data_index.json", /"length": \[\d+/, '"length": [9'))).toMatch(
      /lengths of the samples/,
    ));
  it("refuses schedules of another topology", () =>
    expect(replayAfter(edit("sampler.py", /"data_parallel": 2/, '"data_parallel": 1'))).toMatch(
      /data parallel was 2, now it is 1/,
    ));
  it("refuses a missing file", () =>
    expect(replayAfter((run) => rmSync(join(run, "schedules.bin")))).toMatch(/missing/));
  it("refuses a damaged file", () =>
    expect(
      replayAfter((run) => {
        const path = join(run, "schedules.bin");
        const bytes = readFileSync(path);
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        writeFileSync(path, bytes);
      }),
    ).toMatch(/damaged/));
  it("refuses something else", () =>
    expect(replayAfter((run) => writeFileSync(join(run, "schedules.bin"), "{}"))).toMatch(
      /not a file of planned/,
    ));
});
