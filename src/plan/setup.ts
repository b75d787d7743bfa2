import type { ModelDimensions } from "../catalogue/dimensions.js";
import type { Gpu } from "../catalogue/gpu.js";
import type { Profile } from "../catalogue/profile.js";
import { type LoraShape, loraShape } from "../cost/adapters.js";
import type { Reduction, ZeroStage } from "../cost/memory.js";
import type { Checkpointing, TransformerShape } from "../cost/shape.js";
import type { Spec } from "../language/language.js";
import { mustReduceOnce } from "../language/optimizer-limits.js";
import type { RenderingFacts } from "../lengths/measurement.js";
import type { PreparedData } from "../lengths/prepare-data.js";
import type { Rendering } from "../lengths/rendering.js";
import type { Origins } from "../semantics/report.js";
import { type HardwarePlan, hardwareOf } from "./hardware.js";
import type { Topology } from "./plan.js";

/** What a plan is made from, besides the spec. */
export interface PlanInputs {
  readonly modelName: string;
  readonly dimensions: ModelDimensions;
  readonly gpu: Gpu;
  /** Measured on the user's machine; its figures come before the catalogue's. */
  readonly profile: Profile | undefined;
  readonly tokenizerSha256: string;
  readonly rendering: Rendering;
  readonly renderingFacts: RenderingFacts;
  readonly data: PreparedData;
  /** Held-out samples, if the spec names any. */
  readonly evaluation: PreparedData | undefined;
  readonly skrullVersion: string;
}

/**
 * Bytes of one chunk's logits in fp32. On CPU more than 32 MiB, which glibc maps and gives back: smaller aligned
 * blocks are freed but not used again, and chunks of 16 MiB made the heap of a rank grow by 5 GiB in a micro-batch.
 */
const LOGITS_BYTES = { cuda: 512 * 1024 ** 2, cpu: 48 * 1024 ** 2 } as const;

/** A spec whose context-parallel degree, and when gradients are reduced, are decided. */
export type SettledSpec = Omit<Spec, "parallel"> & {
  readonly parallel: Omit<Spec["parallel"], "context" | "reduction"> & {
    readonly context: number;
    readonly reduction: Reduction;
  };
};

/** A settled spec and its inputs, with what follows from them at once. */
export interface Setup {
  readonly spec: SettledSpec;
  readonly origins: Origins;
  readonly inputs: PlanInputs;
  readonly topology: Topology;
  readonly shape: TransformerShape;
  readonly hardware: HardwarePlan;
  /** What micro-batches recompute, at the most. */
  readonly checkpointing: Checkpointing;
  readonly lora: LoraShape | null;
  /** Tokens whose logits exist at a time. */
  readonly lossChunk: number;
  /** Tokens whose intermediate results of an MLP exist at a time; `null` for all at once. */
  readonly mlpTile: number | null;
}

/** The setup of a settled spec; gradients are reduced once a step where its optimizer leaves no choice. */
export function setUp(settled: SettledSpec, origins: Origins, inputs: PlanInputs): Setup {
  const spec: SettledSpec = mustReduceOnce(settled)
    ? { ...settled, parallel: { ...settled.parallel, reduction: "once" } }
    : settled;
  const { shape } = inputs.dimensions;
  const { rank } = spec.lora;
  const checkpointing = heaviest(spec.model.checkpointing);
  return {
    spec,
    origins,
    inputs,
    topology: topologyOf(spec, inputs.gpu),
    shape,
    hardware: hardwareOf(inputs.gpu, inputs.profile, {
      precision: spec.model.precision,
      kernel: spec.model.attention,
      checkpointing,
      headWidth: shape.head_dim,
      deterministic: spec.train.deterministic,
    }),
    checkpointing,
    lora: rank > 0 ? loraShape(inputs.dimensions, spec.lora) : null,
    lossChunk: lossChunk(spec, inputs.gpu, shape),
    mlpTile: mlpTile(spec, shape),
  };
}

/** What micro-batches recompute that have memory for nothing less: whole layers, where the spec leaves it open. */
const heaviest = (checkpointing: Spec["model"]["checkpointing"]): Checkpointing =>
  checkpointing === "auto" ? "full" : checkpointing;

function topologyOf(spec: SettledSpec, gpu: Gpu): Topology {
  const { cluster, parallel } = spec;
  const ranks = cluster.nodes * cluster.gpus;
  return {
    nodes: cluster.nodes,
    gpus_per_node: cluster.gpus,
    gpu: cluster.gpu,
    device: gpu.device,
    ranks,
    data_parallel: ranks / parallel.context,
    context_parallel: parallel.context,
    zero_stage: parallel.zero as ZeroStage,
    launcher: cluster.launcher,
    ...(cluster.deepspeed === undefined ? {} : { deepspeed: cluster.deepspeed }),
    hosts: cluster.hosts,
    host_memory_bytes: cluster.host_memory ?? null,
  };
}

/** Tokens whose logits exist at a time. */
function lossChunk(spec: SettledSpec, gpu: Gpu, shape: TransformerShape): number {
  const { loss_chunk: chosen } = spec.train;
  if (chosen !== undefined) return chosen;
  const tokens = Math.floor(LOGITS_BYTES[gpu.device] / (4 * shape.vocab_size));
  return Math.max(16, Math.min(4096, tokens));
}

/** ALST's tiles are about as long as the model is wide, which keeps a GPU busy (arXiv:2506.13996 section 3.1.1). */
function mlpTile({ model }: SettledSpec, shape: TransformerShape): number | null {
  const { tiled_mlp: tile } = model;
  if (tile === "off") return null;
  return tile === "auto" ? shape.hidden_size : tile;
}
