import type { MemorySetting, ZeroStage } from "./memory.js";
import { BYTES_PER_ELEMENT } from "./shape.js";

/** What decides the bytes of a checkpoint. */
export interface CheckpointSetting
  extends Pick<MemorySetting, "shape" | "precision" | "lora" | "masterBytes" | "momentBytes"> {
  /** The stage that DeepSpeed runs. */
  readonly stage: ZeroStage;
  readonly device: "cuda" | "cpu";
}

/** Bytes of a checkpoint, of all ranks together. */
export interface CheckpointBytes {
  /** In the model's precision: all, under ZeRO 3 those that are not trained. */
  readonly weights: number;
  /** Weights that are not trained, a second time. */
  readonly frozen: number;
  /** Of what is trained: master weights in fp32, and what the optimizer keeps of each. */
  readonly optimizer: number;
}

const FP32 = 4;

/**
 * Bytes that DeepSpeed writes at a checkpoint (`_save_checkpoint` and `_save_zero_checkpoint` of runtime/engine.py).
 * The first rank writes the module; under ZeRO 3 that has no weights, and every rank writes its partition of the
 * master weights, and of weights that are not trained. From stage 2 on weights that are not trained are stored by
 * name too: on a GPU as a copy, on CPU as the same memory, which is stored once.
 */
export function checkpointBytes(setting: CheckpointSetting): CheckpointBytes {
  const { shape, precision, lora, stage, device } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const added = lora ? lora.parameters : 0;
  const trained = lora ? added : shape.parameters;
  const frozen = lora ? shape.parameters * bytes : 0;
  // A resumed run quantises again what is kept in four bits; stage 2 stores what it finds frozen.
  const absent = (lora?.fourBit?.weights ?? 0) * bytes;
  const packed = (lora?.fourBit?.weights ?? 0) / 2;
  return {
    weights: stage === 3 ? frozen : (shape.parameters + added) * bytes - absent,
    frozen: stage === 2 && device === "cuda" ? frozen - absent + packed : 0,
    optimizer: trained * (setting.masterBytes + setting.momentBytes),
  };
}

/**
 * Bytes of the trained model as it is exported; of adapters alone where they are what was trained. peft makes adapters
 * in fp32, and DeepSpeed casts them with the model, but not under ZeRO 3.
 */
export function exportBytes({
  shape,
  precision,
  lora,
  stage,
  merge,
}: Pick<CheckpointSetting, "shape" | "precision" | "lora" | "stage"> & {
  /** Whether adapters are merged into the weights. */
  readonly merge: boolean;
}): number {
  const bytes = BYTES_PER_ELEMENT[precision];
  if (!lora || merge) return shape.parameters * bytes;
  // With rows for new tokens, whole ends are written too.
  const ends = (shape.tied_embeddings ? 1 : 2) * shape.vocab_size * shape.hidden_size;
  const whole = lora.ends.rows ? ends * bytes : 0;
  return whole + lora.parameters * (stage === 3 ? FP32 : bytes);
}
