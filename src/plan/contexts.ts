import type { TransformerShape } from "../cost/shape.js";
import { divisors, isPowerOfTwo } from "../foundation/integers.js";
import type { Spec } from "../language/language.js";
import type { DegreeClass } from "../schedule/problem.js";

/** Context-parallel degrees that divide the ranks, and are powers of two where groups must be; ascending. */
function contexts(ranks: number, degrees: DegreeClass): readonly number[] {
  const narrow = degrees === "local-or-all";
  return divisors(ranks).filter((degree) => narrow || isPowerOfTwo(degree));
}

/** The degrees that a spec leaves open, up to one rank for every token of the longest sequence; 1 where those stay whole. */
export function contextsOf(
  { cluster, schedule }: Spec,
  longest: number,
  { mixer_layers: mixing = 0 }: Pick<TransformerShape, "mixer_layers">,
): readonly number[] {
  if (mixing > 0) return [1];
  const degrees = contexts(cluster.nodes * cluster.gpus, schedule.degrees);
  return degrees.filter((degree) => degree <= Math.max(1, longest));
}
