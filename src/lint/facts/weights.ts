import { join, relative } from "pathe";
import type { Host } from "../../host/host.js";
import { findWeights } from "../../inputs/weights/find-weights.js";
import { matchWeights } from "../../inputs/weights/match-weights.js";
import type { Spec } from "../../language/language.js";
import type { WeightFacts } from "../subject.js";
import type { Machine } from "./machine.js";

/** What the files' headers say of the weights in a folder; `undefined` where nothing can be said. */
export function weightFacts(
  host: Host,
  folder: string,
  { model: { path, weights } }: Spec,
  { modelConfig, dimensions }: Machine,
): WeightFacts | undefined {
  if (path === undefined || weights !== "pretrained") return undefined;
  const found = findWeights(host, join(folder, path));
  if (found.state === "unknown") return undefined;
  if (found.state === "unreadable") return { ...found, file: relative(folder, found.file) };
  if (found.state === "missing") return found;
  const problems = matchWeights(modelConfig, dimensions, found.tensors);
  return problems && { state: "stored", problems };
}
