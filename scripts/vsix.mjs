// npm run vsix: packages editors/vscode into build/skrull-vscode.vsix. The tools for it are in that folder's own lock
// file, so that the compiler's installation does not carry them.
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run, say } from "./lib.mjs";

const FOLDER = join(ROOT, "editors", "vscode");
const OUT = join(ROOT, "build", "skrull-vscode.vsix");
const inFolder = (command, ...args) => run(command, args, { cwd: FOLDER });

say("Installing the extension's tools");
// Of the install scripts only esbuild's has a use here, and only on rare platforms.
inFolder("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
say("Checking and bundling");
inFolder("npm", "run", "-s", "check");
inFolder("npm", "run", "-s", "bundle");
say(`Packaging ${OUT}`);
mkdirSync(join(ROOT, "build"), { recursive: true });
copyFileSync(join(ROOT, "LICENSE"), join(FOLDER, "LICENSE"));
inFolder("npx", "vsce", "package", "--no-dependencies", "--allow-missing-repository", "--out", OUT);
