import { optimizerContradiction } from "../language/optimizer-limits.js";
import { changesText } from "./changes.js";
import { fitProblem, fits, fitsHost, neededBytes } from "./fit.js";
import { type Change, changed, LEVERS, type Lever, SHRINKING, shorter } from "./lever.js";
import type { Setup } from "./setup.js";

/** Changes that together make a spec fit. */
export interface Advice {
  /** Blocks with the keys to write, such as `{ memory: { offload: "optimizer" } }`. */
  readonly blocks: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
  /** As it is written in a spec, with what a user should know. */
  readonly text: string;
  readonly trainsOther: boolean;
}

/** What would make a spec fit; or how near the nearest setting is, where nothing does. */
export interface Levers {
  /** Nearest first: by the number of changes, then by what they cost. */
  readonly advice: readonly Advice[];
  /** Bytes of a rank under the setting that needs least, reserve not counted, and that setting. */
  readonly nearest: { readonly bytes: number; readonly text: string };
}

/** Of those that change the same of what is trained. */
const MOST_OF_TIER = 4;
interface Combination {
  readonly changes: readonly Change[];
  readonly setup: Setup;
  readonly trainsOther: boolean;
}

/** Whether a setup fits; a `max_length` that it was given holds for its data. */
function fitsNow({ setup, changes }: Combination): boolean {
  if (optimizerContradiction(setup.spec)) return false;
  const problem = fitProblem(setup);
  const limit = changes.some(({ block }) => block === "data")
    ? setup.spec.data.max_length
    : problem.longest;
  return fits({ ...problem, longest: Math.min(problem.longest, limit) }) && fitsHost(problem);
}

/** All combinations of exactly `count` of the levers, in their order. */
function* combinations(
  setup: Setup,
  levers: readonly Lever[],
  count: number,
  before: Combination = { changes: [], setup, trainsOther: false },
): Generator<Combination> {
  if (count === 0) {
    yield before;
    return;
  }
  for (let n = 0; n + count <= levers.length; n += 1) {
    const lever = levers[n] as Lever;
    for (const change of lever.changes(before.setup)) {
      const next = {
        changes: [...before.changes, change],
        setup: changed(before.setup, change.apply),
        trainsOther: before.trainsOther || lever.trainsOther,
      };
      yield* combinations(setup, levers.slice(n + 1), count - 1, next);
    }
  }
}

/** What an advice may change: nothing that is trained; the weights that are; or how much of the data is. */
const TIERS: readonly (readonly Lever[])[] = [
  LEVERS.filter(({ trainsOther }) => !trainsOther),
  LEVERS.filter((lever) => lever !== shorter),
  LEVERS,
];

/**
 * Changes to a spec that make its longest sequence fit: levers one by one, then in combination, tried with the memory
 * model that the plan has, never with more memory than the machine has. Of the same levers, the mildest values; those
 * of the fewest changes, but also the fewest that train the same, and that train on the same data.
 */
export function leversThatFit(setup: Setup): Levers {
  const found = new Map<string, Combination>();
  for (const levers of TIERS) {
    for (const combination of fewestChanges(setup, levers).slice(0, MOST_OF_TIER))
      found.set(combination.changes.map(keyOf).join(" "), combination);
  }
  const nearestFirst = [...found.values()].sort(
    (a, b) => a.changes.length - b.changes.length || lossOf(a) - lossOf(b),
  );
  return { advice: nearestFirst.map(adviceOf), nearest: nearestOf(setup) };
}

function fewestChanges(setup: Setup, levers: readonly Lever[]): Combination[] {
  for (let count = 1; count <= levers.length; count += 1) {
    const best = new Map<string, Combination>();
    for (const combination of combinations(setup, levers, count)) {
      const key = combination.changes.map(keyOf).join(" ");
      const known = best.get(key);
      if (known && lossOf(known) <= lossOf(combination)) continue;
      if (fitsNow(combination)) best.set(key, combination);
    }
    if (best.size > 0) return [...best.values()].sort((a, b) => lossOf(a) - lossOf(b));
  }
  return [];
}

const keyOf = ({ block, keys }: Change) => `${block}.${Object.keys(keys).join()}`;
const lossOf = ({ changes }: Combination) => changes.reduce((sum, { loss }) => sum + loss, 0);

function adviceOf({ changes, trainsOther }: Combination): Advice {
  const blocks: Record<string, Record<string, string | number>> = {};
  for (const { block, keys } of changes) blocks[block] = { ...blocks[block], ...keys };
  const remarks = changes.flatMap(({ remark }) => remark ?? []);
  const note = remarks.length > 0 ? ` (${remarks.join("; ")})` : "";
  return { blocks, text: `${changesText(blocks)}${note}`, trainsOther };
}

/** The setting that needs least: everything that shrinks a rank, one lever after the other, whatever it costs. */
function nearestOf(setup: Setup): Levers["nearest"] {
  const need = (of: Setup) => neededBytes(fitProblem(of));
  let best: Combination = { changes: [], setup, trainsOther: false };
  for (const lever of SHRINKING) {
    let least = best;
    for (const change of lever.changes(best.setup)) {
      const setup = changed(best.setup, change.apply);
      if (need(setup) < need(least.setup) && !optimizerContradiction(setup.spec))
        least = {
          changes: [...best.changes, change],
          setup,
          trainsOther: best.trainsOther || lever.trainsOther,
        };
    }
    best = least;
  }
  return { bytes: need(best.setup), text: adviceOf(best).text };
}
