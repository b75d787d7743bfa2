import { join, relative, resolve } from "pathe";
import { shellWord } from "../emit/quote.js";
import { printable } from "../foundation/printable.js";
import { walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { DEFAULT_STARTER, SHARED_FILES, STARTERS, type StarterName } from "./starters.js";
import type { Terminal } from "./terminal.js";

export interface InitOptions {
  /** The command line's word for a starter. */
  readonly template: StarterName;
}

const SPEC = "train.skrull";
const ASSETS = "templates/init";

/** `skrull init [DIR]`: a starter spec and what it names; overwrites nothing. @throws HostError */
export function initCommand(
  host: Host,
  terminal: Terminal,
  folder: string,
  { template: starter }: InitOptions,
): ExitCode {
  const target = resolve(host.workingFolder, folder);
  if ((host.status(target)?.kind ?? "folder") !== "folder")
    throw new HostError(folder, "is not a folder");
  const files = new Map([...assets(host, SHARED_FILES), ...assets(host, starter)]);
  const shown = (name: string) =>
    printable(relative(host.workingFolder, join(target, name)) || name);
  const taken = [...files.keys()].filter((name) => host.status(join(target, name)) !== undefined);
  if (taken.length > 0) {
    terminal.remark(`already there, and not overwritten: ${taken.map(shown).join(", ")}\n`);
    return EXIT.findings;
  }
  for (const [name, content] of files) {
    host.writeFile(join(target, name), content);
    terminal.out(`wrote ${shown(name)}\n`);
  }
  terminal.out(next(shown(SPEC), starter));
  return EXIT.clean;
}

/** Path in the new folder to content. */
function* assets(host: Host, name: string): Generator<readonly [string, Uint8Array]> {
  const folder = host.assetPath(`${ASSETS}/${name}`);
  for (const path of walk(host, folder)) yield [path, host.readBytes(join(folder, path))];
}

function next(spec: string, starter: StarterName): string {
  const others = Object.entries(STARTERS)
    .filter(([name]) => name !== starter)
    .map(([name, about]) => `  ${name.padEnd(14)}${about}\n`);
  const hint =
    starter === DEFAULT_STARTER ? `\nOther templates (--template NAME):\n${others.join("")}` : "";
  return `\nNext: skrull plan ${shellWord(spec)}\n${hint}`;
}
