// Modules that hold the numerics, each with the tests that hold it: single process, seconds.

const RUNTIME = "python/skrull_runtime";
const tests = (folder, ...names) => names.map((name) => `${folder}/${name}`);
const python = (...names) => tests("python/tests", ...names.map((name) => `test_${name}.py`));
const cost = (...names) => tests("test/cost", ...names.map((name) => `${name}.test.ts`));
const schedule = (...names) => tests("test/schedule", ...names.map((name) => `${name}.test.ts`));

/** Test files by module. */
export const TARGETS = {
  [`${RUNTIME}/model/kernels/sdpa.py`]: python("sdpa"),
  [`${RUNTIME}/model/kernels/kernel.py`]: python("sdpa", "kernels"),
  [`${RUNTIME}/model/kernels/kept.py`]: python("sdpa"),
  [`${RUNTIME}/model/kernels/sinks.py`]: python("sdpa"),
  [`${RUNTIME}/model/kernels/choose.py`]: python("kernels"),
  [`${RUNTIME}/model/kernels/flash2.py`]: python("kernels"),
  [`${RUNTIME}/model/kernels/flash3.py`]: python("kernels"),
  [`${RUNTIME}/model/kernels/varlen.py`]: python("kernels"),
  [`${RUNTIME}/model/attention.py`]: python("packed_attention"),
  [`${RUNTIME}/model/build.py`]: python("build"),
  [`${RUNTIME}/batches/layout.py`]: python("packing"),
  [`${RUNTIME}/batches/collate.py`]: python("packing"),
  [`${RUNTIME}/batches/segments.py`]: python("packing"),
  [`${RUNTIME}/batches/packed.py`]: python("packing"),
  [`${RUNTIME}/reporting/metrics.py`]: python("metrics"),
  [`${RUNTIME}/scheduling/replay.py`]: python("replay"),
  [`${RUNTIME}/scheduling/cells.py`]: python("cells", "scheduling"),
  [`${RUNTIME}/scheduling/placing.py`]: python("placing", "scheduling"),
  [`${RUNTIME}/scheduling/construct.py`]: python("construct", "scheduling"),
  "src/cost/memory.ts": cost("memory"),
  "src/cost/zero.ts": cost("zero"),
  "src/cost/window.ts": cost("window"),
  "src/cost/work.ts": cost("work"),
  "src/schedule/verify.ts": schedule("verify"),
  "src/schedule/refine/bands.ts": schedule("bands"),
  "src/schedule/refine/budget.ts": schedule("budget"),
  "src/schedule/refine/moves.ts": schedule("moves"),
  "src/schedule/refine/refine.ts": schedule("refine"),
  "src/schedule/refine/state.ts": schedule("state"),
  "src/schedule/policies/auto.ts": schedule("auto"),
  "src/lengths/statistics.ts": ["test/lengths/statistics.test.ts"],
  "src/foundation/statistics.ts": ["test/lengths/statistics.test.ts"],
  "src/plan/performance.ts": ["test/plan/performance.test.ts"],
};
