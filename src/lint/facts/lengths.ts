import { join } from "pathe";
import { expandGlob } from "../../host/files.js";
import { type Host, HostError } from "../../host/host.js";
import { countRequest } from "../../inputs/count-request.js";
import type { Spec } from "../../language/language.js";
import { knownMeasurement } from "../../lengths/known.js";
import { type MeasuredFile, type PreparedData, prepareData } from "../../plan/data.js";
import { countSteps } from "../../plan/steps.js";
import type { DataKey, LengthFacts } from "../subject.js";

/** What the cache has of a spec's data. */
export interface KnownLengths {
  readonly train: PreparedData | undefined;
  readonly evaluation: PreparedData | undefined;
  readonly stale: readonly { readonly key: DataKey; readonly file: string }[];
}

/** Looks every data file up in the cache; data counts as known where all its files are. */
export async function knownLengths(host: Host, folder: string, spec: Spec): Promise<KnownLengths> {
  const train = await lookUp(host, folder, spec, "data.train", spec.data.train);
  const evaluation = await lookUp(host, folder, spec, "evaluate.data", spec.evaluate.data);
  return {
    train: train.data,
    evaluation: evaluation.data,
    stale: [...train.stale, ...evaluation.stale],
  };
}

async function lookUp(
  host: Host,
  folder: string,
  { data }: Spec,
  key: DataKey,
  patterns: readonly string[],
) {
  const request = countRequest(host, folder, data);
  const names = namesOf(host, folder, patterns);
  const measured: MeasuredFile[] = [];
  const stale: { key: DataKey; file: string }[] = [];
  for (const name of names) {
    const known = await knownMeasurement(host, join(folder, name), request);
    if (known.state === "known") measured.push({ path: name, measurement: known.measurement });
    if (known.state === "changed") stale.push({ key, file: name });
  }
  const complete = names.length > 0 && measured.length === names.length;
  return {
    data: complete ? prepareData(measured, data.max_length, data.overlong) : undefined,
    stale,
  };
}

function namesOf(host: Host, folder: string, patterns: readonly string[]): readonly string[] {
  try {
    const names = patterns.flatMap((pattern) => expandGlob(host, folder, pattern));
    return [...new Set(names)].sort();
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}

/** `undefined` where the training data is not known, or leaves nothing to train on. */
export function lengthFacts(
  { train, schedule }: Spec,
  { train: data, evaluation }: KnownLengths,
): LengthFacts | undefined {
  if (!data || data.summary.samples === 0) return undefined;
  const limit = train.steps === undefined ? { epochs: train.epochs ?? 1 } : { steps: train.steps };
  const count = countSteps(data.summary.samples, schedule.global_batch, limit);
  return {
    train: data,
    evaluation,
    steps: count.total_steps,
    stepsPerEpoch: count.steps_per_epoch,
  };
}
