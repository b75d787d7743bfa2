import { cluster } from "./blocks/cluster.js";
import { data } from "./blocks/data.js";
import { evaluate } from "./blocks/evaluate.js";
import { gpuModel } from "./blocks/gpu-model.js";
import { log } from "./blocks/log.js";
import { lora } from "./blocks/lora.js";
import { memory } from "./blocks/memory.js";
import { model } from "./blocks/model.js";
import { parallel } from "./blocks/parallel.js";
import { schedule } from "./blocks/schedule.js";
import { train } from "./blocks/train.js";
import type { InferSpec, Language } from "./types.js";

/** Which line `skrull N` a spec begins with. */
export const LANGUAGE_VERSION = 1;

/**
 * The language, declared once: the checker, the reference, and everything else that needs to know a key reads
 * this table. To add a field, add it to its block in `blocks`.
 */
export const LANGUAGE = {
  model,
  cluster,
  gpu_model: gpuModel,
  data,
  parallel,
  memory,
  lora,
  schedule,
  train,
  evaluate,
  log,
} as const satisfies Language;

/** A checked spec, with defaults filled in. */
export type Spec = InferSpec<typeof LANGUAGE>;
