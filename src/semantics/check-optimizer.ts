import type { Spec } from "../language/language.js";
import { optimizerContradiction } from "../language/optimizer-limits.js";
import type { Origins, Reporting } from "./report.js";

/** What an optimizer cannot be combined with. */
export function checkOptimizer(
  spec: Pick<Spec, "model" | "train" | "parallel" | "memory">,
  origins: Origins,
  at: Reporting,
): void {
  const { optimizer, clip_norm } = spec.train;
  const found = optimizerContradiction(spec);
  if (found) {
    const { path, first, second, reason } = found;
    at("contradictory-keys", origins.has(path) ? path : "train.optimizer", {
      first,
      second,
      reason,
    });
  }
  if (optimizer.type !== "muon" || clip_norm === 0 || !origins.has("train.clip_norm")) return;
  const reason =
    "DeepSpeed clips what Muon has orthogonalised, whose norm grows with the number of matrices: their step would shrink with it.";
  const values = { first: `clip_norm = ${clip_norm}`, second: "optimizer = muon", reason };
  at("contradictory-keys", "train.clip_norm", values, { help: "Remove clip_norm, or write 0." });
}
