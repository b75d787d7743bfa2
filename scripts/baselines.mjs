// npm run baselines: writes what every stage makes of the specs of test/baselines; look at the difference before you commit it.
import { join } from "node:path";
import { ROOT, run } from "./lib.mjs";

const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
run(process.execPath, [vitest, "run", "test/baselines.test.ts"], {
  env: { ...process.env, SKRULL_BASELINES: "write" },
});
