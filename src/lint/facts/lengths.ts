import { epochSize } from "../../foundation/global-batches.js";
import type { Host } from "../../host/host.js";
import { countRequest } from "../../inputs/count-request.js";
import { findDataFiles } from "../../inputs/data-files.js";
import { selectionOf } from "../../inputs/selection.js";
import type { Spec } from "../../language/language.js";
import { type CountRequest, knownMeasurement } from "../../lengths/known.js";
import { type MeasuredFile, type PreparedData, prepareData } from "../../lengths/prepare-data.js";
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
  const lookUp = new LookUp(host, folder, spec);
  const train = await lookUp.files("data.train");
  const held = await lookUp.files("evaluate.data");
  const { stale } = lookUp;
  return {
    train: train && prepareData(train, selectionOf(spec, "data.train", false)),
    evaluation: held
      ? prepareData(held, selectionOf(spec, "evaluate.data", false))
      : train && spec.evaluate.share > 0
        ? prepareData(train, selectionOf(spec, "data.train", true))
        : undefined,
    stale,
  };
}

class LookUp {
  readonly stale: { key: DataKey; file: string }[] = [];
  readonly #request: CountRequest;

  constructor(
    private readonly host: Host,
    private readonly folder: string,
    private readonly spec: Spec,
  ) {
    this.#request = countRequest(host, folder, spec.data);
  }

  /** The files that a key names, if all are known. */
  async files(key: DataKey): Promise<readonly MeasuredFile[] | undefined> {
    const { data, evaluate } = this.spec;
    const training = key === "data.train";
    const patterns = training ? data.train : evaluate.data;
    const ordered = training && data.weights.length > 0;
    let complete = true;
    const onMissing = () => {
      complete = false;
    };
    const files = findDataFiles(this.host, this.folder, patterns, ordered, onMissing);
    const measured: MeasuredFile[] = [];
    for (const { name, path, pattern } of files) {
      const known = await knownMeasurement(this.host, path, this.#request);
      if (known.state === "known")
        measured.push({ path: name, pattern, measurement: known.measurement });
      if (known.state === "changed") this.stale.push({ key, file: name });
    }
    const known = complete && files.length > 0 && measured.length === files.length;
    return known ? measured : undefined;
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
