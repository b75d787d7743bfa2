import type { Spec } from "../language/language.js";
import type { Selection } from "../lengths/prepare-data.js";

/**
 * Which rows a spec makes samples of.
 *
 * @param key that names the files
 * @param heldOut whether the samples held out are meant
 */
export function selectionOf(
  { data, evaluate }: Spec,
  key: "data.train" | "evaluate.data",
  heldOut: boolean,
): Selection {
  const training = key === "data.train";
  return {
    maxLength: data.max_length,
    overlong: data.overlong,
    weights: training && !heldOut ? data.weights : [],
    minTurns: data.min_turns,
    unique: data.unique,
    share: training && evaluate.data.length === 0 ? evaluate.share : 0,
    heldOut,
  };
}
