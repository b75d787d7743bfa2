import { join } from "pathe";
import type { ModelDimensions, ReadDimensions } from "../../catalogue/dimensions.js";
import type { Gpu } from "../../catalogue/gpu.js";
import { modelByName } from "../../catalogue/names.js";
import { gpuOf } from "../../catalogue/own-gpu.js";
import type { Profile } from "../../catalogue/profile.js";
import { withRopeScaling } from "../../catalogue/rope.js";
import { readText } from "../../host/files.js";
import { type Host, HostError } from "../../host/host.js";
import { knownCheck, type ModelCheck } from "../../inputs/model-check.js";
import { knownDimensions } from "../../inputs/model-dimensions.js";
import type { Spec } from "../../language/language.js";

/** The configuration of a spec's model. */
export interface Model {
  readonly config: unknown;
  readonly read: ReadDimensions;
  /** Whether anybody has found that it trains exactly. */
  readonly check: ModelCheck;
}

/** The model and the machines of a spec. */
export interface Machine {
  readonly dimensions: ModelDimensions;
  readonly modelConfig: unknown;
  readonly gpu: Gpu;
  readonly profile: Profile | undefined;
}

/** `undefined` where there is no configuration to read, or it cannot be scaled: `plan` says why. */
export function loadModel(host: Host, folder: string, spec: Spec): Model | undefined {
  const config = scaled(configOf(host, folder, spec), spec);
  if (config === undefined) return undefined;
  const { check, problem } = knownCheck(host, config);
  const read = knownDimensions(host, config);
  const refused = problem && (read.ok || read.undescribed);
  return { config, check, read: refused ? { ok: false, problems: [problem] } : read };
}

/** `undefined` where the model cannot be trained, or the GPU is not known: `plan` says why. */
export async function loadMachine(
  host: Host,
  folder: string,
  spec: Spec,
  { config, read }: Model,
): Promise<Machine | undefined> {
  const gpu = gpuOf(spec);
  if (!gpu || !read.ok) return undefined;
  const profile = await loadProfile(host, folder, spec);
  return { dimensions: read.dimensions, modelConfig: config, gpu, profile };
}

function configOf(host: Host, folder: string, { model }: Spec): unknown {
  return model.config === undefined
    ? modelByName(model.label ?? "")?.config
    : readJson(host, folder, model.config);
}

/** With the spec's rotary embeddings; those that cannot be make the model unknown. */
function scaled(config: unknown, { model }: Spec): unknown {
  if (config === undefined || model.rope_scaling === undefined) return config;
  const result = withRopeScaling(config, model.rope_scaling);
  return result.ok ? result.config : undefined;
}

function readJson(host: Host, folder: string, path: string | undefined): unknown {
  if (path === undefined) return undefined;
  try {
    return JSON.parse(readText(host, join(folder, path)));
  } catch (error) {
    if (error instanceof HostError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Its schema is compiled only where there is one. */
async function loadProfile(host: Host, folder: string, { cluster }: Spec) {
  const json = readJson(host, folder, cluster.profile);
  if (json === undefined) return undefined;
  const { readProfile } = await import("../../catalogue/profile.js");
  const read = readProfile(json);
  return read.ok ? read.profile : undefined;
}
