import { catalogueDimensions } from "../catalogue/described.js";
import { dimensionsIn } from "../catalogue/description.js";
import {
  type ModelDimensions,
  type ReadDimensions,
  readDimensions,
} from "../catalogue/dimensions.js";
import { describeModel } from "../engine/describe.js";
import { EngineError } from "../engine/engine.js";
import type { Host } from "../host/host.js";
import { keepAnswer, keptAnswer } from "./answers.js";

/** Dimensions of a configuration: read by its keys, else known to the catalogue or from before, else told by the model. */
export async function dimensionsOf(
  host: Host,
  folder: string,
  config: unknown,
): Promise<ReadDimensions> {
  const read = knownDimensions(host, config);
  if (read.ok || !read.undescribed) return read;
  try {
    const described = await describeModel(host, folder, config);
    const dimensions = dimensionsIn(described);
    if (!dimensions) return { ok: false, problems: [UNREADABLE] };
    keepAnswer(host, "models", config, described);
    return { ok: true, dimensions };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const { message: problem, help } = error;
    return { ok: false, problems: [{ problem, ...(help ? { help } : {}) }] };
  }
}

/** A skrull and a runtime of different versions. */
const UNREADABLE = {
  problem: "is described in a way that this skrull does not know",
  help: "Unset PYTHONPATH where it names another skrull_runtime.",
};

/** As {@link dimensionsOf}, without asking the model. */
export function knownDimensions(host: Host, config: unknown): ReadDimensions {
  const read = readDimensions(config);
  if (read.ok || !read.undescribed) return read;
  const dimensions = catalogueDimensions(config) ?? keptDimensions(host, config);
  return dimensions ? { ok: true, dimensions } : read;
}

function keptDimensions(host: Host, config: unknown): ModelDimensions | undefined {
  const answer = keptAnswer(host, "models", config);
  return answer === undefined ? undefined : dimensionsIn(answer);
}
