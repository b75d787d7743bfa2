// Runs on npm ci, npm pack and an installation from git. The last, where it is global (pre-commit's are), comes here
// without the packages that the build needs: npm looks for them among the global ones.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run } from "./lib.mjs";

if (!existsSync(join(ROOT, "node_modules", "esbuild"))) {
  const { npm_config_global: _, ...env } = process.env;
  run(
    "npm",
    ["ci", "--global=false", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"],
    {
      env,
      stdio: ["ignore", process.stderr, "inherit"],
    },
  );
}
run(process.execPath, [join("scripts", "build.mjs")]);
