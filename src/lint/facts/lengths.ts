import { join } from "pathe";
import { epochSize } from "../../foundation/global-batches.js";
import { expandGlob } from "../../host/files.js";
import { type Host, HostError } from "../../host/host.js";
import { countRequest } from "../../inputs/count-request.js";
import type { Spec } from "../../language/language.js";
import { type CountRequest, knownMeasurement } from "../../lengths/known.js";
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
  const { data, evaluate } = spec;
  const lookUp = new LookUp(host, folder, data);
  const train = await lookUp.of("data.train", data.train, data.weights);
  const evaluation = await lookUp.of("evaluate.data", evaluate.data, []);
  return { train, evaluation, stale: lookUp.stale };
}

class LookUp {
  readonly stale: { key: DataKey; file: string }[] = [];
  readonly #request: CountRequest;

  constructor(
    private readonly host: Host,
    private readonly folder: string,
    private readonly data: Spec["data"],
  ) {
    this.#request = countRequest(host, folder, data);
  }

  async of(
    key: DataKey,
    patterns: readonly string[],
    weights: readonly number[],
  ): Promise<PreparedData | undefined> {
    const files = this.#files(patterns, weights.length > 0);
    const measured: MeasuredFile[] = [];
    for (const [path, pattern] of files) {
      const known = await knownMeasurement(this.host, join(this.folder, path), this.#request);
      if (known.state === "known") measured.push({ path, pattern, measurement: known.measurement });
      if (known.state === "changed") this.stale.push({ key, file: path });
    }
    if (files.length === 0 || measured.length < files.length) return undefined;
    return prepareData(measured, this.data.max_length, this.data.overlong, weights);
  }

  /** Path and number of the pattern, in the order of a plan's. */
  #files(patterns: readonly string[], weighted: boolean): readonly (readonly [string, number])[] {
    const files = new Map<string, number>();
    for (const [n, pattern] of patterns.entries()) {
      for (const name of this.#matches(pattern)) if (!files.has(name)) files.set(name, n);
    }
    return [...files].sort(([a, m], [b, n]) => (weighted ? m - n : 0) || (a < b ? -1 : 1));
  }

  #matches(pattern: string): readonly string[] {
    try {
      return expandGlob(this.host, this.folder, pattern);
    } catch (error) {
      if (error instanceof HostError) return [];
      throw error;
    }
  }
}

/** `undefined` where the training data is not known, or leaves nothing to train on. */
export function lengthFacts(
  { train, schedule }: Spec,
  { train: data, evaluation }: KnownLengths,
): LengthFacts | undefined {
  if (!data || data.summary.samples === 0) return undefined;
  const limit = train.steps === undefined ? { epochs: train.epochs ?? 1 } : { steps: train.steps };
  const samples = epochSize(data.summary.samples, data.mixture);
  const count = countSteps(samples, schedule.global_batch, limit);
  return {
    train: data,
    evaluation,
    longest: Math.max(data.summary.longest, evaluation?.summary.longest ?? 0),
    steps: count.total_steps,
    stepsPerEpoch: count.steps_per_epoch,
    lastBatch: count.last_batch,
  };
}
