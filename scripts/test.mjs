// npm test: every test of both programs, after its own set-up.
import { join } from "node:path";
import { PYTHON, ROOT, run, say, setUp } from "./lib.mjs";

setUp();
say("Testing the compiler (vitest)");
run(process.execPath, [join(ROOT, "node_modules", "vitest", "vitest.mjs"), "run"]);
say("Testing the runtime (pytest)");
run(PYTHON, ["-m", "pytest", "-q", "python/tests"], {
  env: {
    ...process.env,
    PYTHONPATH: join(ROOT, "python"),
    DS_ACCELERATOR: "cpu",
    OMP_NUM_THREADS: "1",
  },
});
