// npm run check: everything that CI checks besides the tests, then the tests.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fail, ROOT, run, say, setUp, VENV } from "./lib.mjs";

const bin = (name) => join(ROOT, "node_modules", ".bin", name);

setUp();
say("Types (tsc, mypy)");
run(bin("tsc"), ["-p", "."]);
run(join(VENV, "bin", "mypy"), ["--config-file", "python/pyproject.toml"]);
say("Lint and format (biome, ruff)");
run(bin("biome"), ["ci", "."]);
const python = ["--config", "python/pyproject.toml", "python", "bench"];
run(join(VENV, "bin", "ruff"), ["check", ...python]);
run(join(VENV, "bin", "ruff"), ["format", "--check", ...python]);
say("Generated files are current");
run(process.execPath, [join("scripts", "generate.mjs"), "--check"]);
if (spawnSync("shellcheck", ["--version"]).error) {
  if (process.env.CI) fail("shellcheck is needed in CI");
  say("shellcheck is not installed: the emitted launch.sh is only checked with bash -n");
}
run(process.execPath, [join("scripts", "test.mjs")]);
