import { BANDS } from "./bands.generated.js";
import type { Band, RunKind } from "./plan.js";
import type { Setup } from "./setup.js";

/** How far off figures of a kind were, as a share, and how many measurements say so. */
interface Error {
  readonly error: number;
  readonly points: number;
}

interface Errors {
  readonly time: Error;
  readonly memory: Error;
}

/** Ninth decile of a run's steps with a profile of an idle machine ("Calibration" in docs/benchmarks.md). */
const PROFILED: Error = { error: 0.2, points: 120 };
/** Median of a run's steps on a CPU, whose figures in the catalogue are assumed (the same). */
const ASSUMED: Error = { error: 5, points: 120 };

/** What a run is limited by, as far as predictions differ: published runs are told apart by it. */
export function kindOf({ spec, topology }: Pick<Setup, "spec" | "topology">): RunKind {
  if (topology.device === "cpu") return "CPU";
  if (spec.memory.offload !== "none") return "offload";
  if (topology.nodes > 1) return "several nodes";
  if (topology.context_parallel > 1) return "shared sequences";
  return topology.ranks > 1 ? "one node" : "one GPU";
}

/** How far off the predictions of a setup may be: as those of published runs of its kind were, or of a profile's. */
export function bandOf(setup: Setup): Band {
  const kind = kindOf(setup);
  const profiled = setup.hardware.measured.includes("matmul_flops");
  const { memory, time } = publishedErrors(kind);
  const own = profiled ? PROFILED : kind === "CPU" ? ASSUMED : time;
  return {
    time: own.error,
    memory: memory.error,
    kind: profiled ? "profiled" : kind,
    time_points: own.points,
    memory_points: memory.points,
  };
}

/** Of all published runs, where too few are of the kind. */
function publishedErrors(kind: RunKind): Errors {
  const kinds: Readonly<Record<string, Errors>> = BANDS.kinds;
  return kinds[kind] ?? BANDS.all;
}

/** A table of all bands, in Markdown. */
export function bandLines(): readonly string[] {
  const cell = ({ error, points }: Error) => `±${Math.round(100 * error)}% (${points})`;
  const rows: Readonly<Record<string, Errors>> = { ...BANDS.kinds, "all of them": BANDS.all };
  return [
    "| runs | time (points) | memory (points) |",
    "|---|--:|--:|",
    ...Object.entries(rows).map(
      ([kind, { time, memory }]) => `| ${kind} | ${cell(time)} | ${cell(memory)} |`,
    ),
  ];
}
