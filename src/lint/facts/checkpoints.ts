import { join, relative } from "pathe";
import { readText } from "../../host/files.js";
import { type Host, HostError } from "../../host/host.js";
import type { Spec } from "../../language/language.js";
import type { CheckpointFacts } from "../subject.js";

/** Written by `compile` into a run's folder, and by the run into every complete checkpoint. */
const MANIFEST = "skrull.manifest.json";
const STATE = "skrull_state.json";
/** Folders below a spec's that are searched for runs. */
const DEEPEST = 2;
const MOST_FOLDERS = 200;

/** A run's folder, and the paths of what it was compiled from, relative to the folder of its spec. */
interface CompiledRun {
  readonly path: string;
  readonly inputs: readonly string[];
}

/** The newest checkpoint of every run of a spec that was compiled into a folder below it. */
export function findCheckpoints(
  host: Host,
  folder: string,
  specName: string,
  { train }: Spec,
): readonly CheckpointFacts[] {
  const own = runsBelow(host, folder).filter(({ inputs }) => inputs.includes(specName));
  return own.flatMap(({ path: run }) => {
    const checkpoints = join(run, train.output, "checkpoints");
    const newest = foldersIn(host, checkpoints)
      .filter((name) => host.status(join(checkpoints, name, STATE))?.kind === "file")
      .at(-1);
    const ranks = newest === undefined ? undefined : ranksOf(host, join(checkpoints, newest));
    return ranks === undefined ? [] : [{ folder: relative(folder, run), ranks }];
  });
}

function ranksOf(host: Host, checkpoint: string): number | undefined {
  try {
    const state = JSON.parse(readText(host, join(checkpoint, STATE))) as { ranks?: unknown };
    return typeof state.ranks === "number" ? state.ranks : undefined;
  } catch {
    return undefined;
  }
}

/** Found once for all specs of a folder. */
const found = new WeakMap<Host, Map<string, readonly CompiledRun[]>>();

function runsBelow(host: Host, folder: string): readonly CompiledRun[] {
  const ofHost = found.get(host) ?? new Map<string, readonly CompiledRun[]>();
  found.set(host, ofHost);
  const known = ofHost.get(folder);
  if (known) return known;
  const runs = search(host, folder);
  ofHost.set(folder, runs);
  return runs;
}

function search(host: Host, folder: string): readonly CompiledRun[] {
  let level = [folder];
  let left = MOST_FOLDERS;
  const runs: CompiledRun[] = [];
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const below = level.flatMap((parent) =>
      foldersIn(host, parent).map((name) => join(parent, name)),
    );
    level = [];
    for (const path of below.slice(0, Math.max(0, left))) {
      const inputs = inputsOf(host, path);
      if (inputs) runs.push({ path, inputs });
      else level.push(path);
    }
    left -= below.length;
  }
  return runs;
}

/** `undefined` where a folder is no compiled run. */
function inputsOf(host: Host, folder: string): readonly string[] | undefined {
  const path = join(folder, MANIFEST);
  if (host.status(path)?.kind !== "file") return undefined;
  try {
    const { inputs } = JSON.parse(readText(host, path)) as { inputs: object };
    return Object.keys(inputs);
  } catch {
    return undefined;
  }
}

function foldersIn(host: Host, folder: string): readonly string[] {
  try {
    const names = host.list(folder).filter((name) => !/^\.|^node_modules$/.test(name));
    return names.filter((name) => host.status(join(folder, name))?.kind === "folder");
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}
