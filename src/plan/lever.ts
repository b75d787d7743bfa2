import { memoryOfRank } from "../catalogue/gpu.js";
import type { Offload, ZeroStage } from "../cost/memory.js";
import { formatBytes, formatCount, formatShare } from "../foundation/format.js";
import { sum } from "../foundation/statistics.js";
import { CHECKPOINTING_WORDS } from "../foundation/vocabularies.generated.js";
import { OFFLOAD_FROM } from "../language/offload.js";
import { shardTokens } from "../schedule/time-and-memory.js";
import { contextsOf } from "./contexts.js";
import {
  bucketOf,
  fitProblem,
  largestGroup,
  longestOf,
  longestThatFits,
  neededBytes,
  offloadedBytes,
} from "./fit.js";
import { type SettledSpec, type Setup, setUp } from "./setup.js";

/** A change of the spec: what a block's keys become, and the spec with it. */
export interface Change {
  readonly block: "model" | "parallel" | "memory" | "lora" | "schedule" | "data" | "train";
  readonly keys: Readonly<Record<string, string | number>>;
  /** What it costs beside memory, in no unit: the mildest come first. */
  readonly loss: number;
  /** What a user should know before taking it. */
  readonly remark?: string;
  readonly apply: (spec: SettledSpec) => SettledSpec;
}

/** One thing that may be changed, and its values, mildest first; which depends on what is changed before it. */
export interface Lever {
  /** Whether another model comes out: fewer weights or fewer tokens are trained. */
  readonly trainsOther: boolean;
  readonly changes: (setup: Setup) => readonly Change[];
}

const LORA_RANK = 16;
const MIB = 1024 ** 2;
const STAGES: readonly ZeroStage[] = [0, 1, 2, 3];
const OFFLOADS: readonly Offload[] = ["none", "optimizer", "all"];

const policy: Lever = {
  trainsOther: false,
  changes: ({ spec: { schedule } }) =>
    schedule.degrees !== "pool" || schedule.policy === "auto"
      ? []
      : [
          {
            block: "schedule",
            keys: { policy: "auto" },
            loss: 0,
            apply: (spec) => ({ ...spec, schedule: { ...spec.schedule, policy: "auto" } }),
          },
        ],
};

const reduction: Lever = {
  trainsOther: false,
  changes: ({ spec: { parallel } }) =>
    parallel.zero !== 2 || parallel.reduction !== "once"
      ? []
      : [
          {
            block: "parallel",
            keys: { reduction: "every-micro-batch" },
            loss: 2,
            apply: (spec) => ({
              ...spec,
              parallel: { ...spec.parallel, reduction: "every-micro-batch" },
            }),
          },
        ],
};

const stage: Lever = {
  trainsOther: false,
  changes: ({ spec: { parallel }, origins, topology }) =>
    STAGES.filter((zero) => zero > parallel.zero && topology.ranks > 1).map((zero) => ({
      block: "parallel",
      // What the spec says of reduction may not go with another stage.
      keys: {
        zero,
        ...(origins.has("parallel.reduction") ? { reduction: "every-micro-batch" } : {}),
      },
      loss: zero === 3 ? 4 : 1,
      apply: (spec) => ({
        ...spec,
        parallel: { ...spec.parallel, zero, reduction: "every-micro-batch" },
      }),
    })),
};

const checkpointing: Lever = {
  trainsOther: false,
  changes: ({ checkpointing: most, topology }) =>
    CHECKPOINTING_WORDS.slice(CHECKPOINTING_WORDS.indexOf(most) + 1)
      .filter((mode) => mode !== "offload" || topology.device !== "cpu")
      .map((mode) => ({
        block: "model",
        keys: { checkpointing: mode },
        loss: { none: 0, selective: 2, attention: 2, full: 3, offload: 4 }[mode],
        apply: (spec) => ({ ...spec, model: { ...spec.model, checkpointing: mode } }),
      })),
};

const degree: Lever = {
  trainsOther: false,
  changes: (setup) => {
    const { spec, shape } = setup;
    return contextsOf(spec, longestOf(setup), shape)
      .filter((context) => context > spec.parallel.context)
      .map((context, n) => ({
        block: "parallel",
        keys: { context },
        loss: 2 + n / 8,
        apply: (changed) => ({ ...changed, parallel: { ...changed.parallel, context } }),
      }));
  },
};

/** Half the memory of whole gradients, and less exact. */
const gradients: Lever = {
  trainsOther: false,
  changes: ({ spec: { model, train } }) =>
    model.precision !== "bf16" || train.gradients === "bf16"
      ? []
      : [
          {
            block: "train",
            keys: { gradients: "bf16" },
            loss: 5,
            remark: "rounds gradients in every micro-batch",
            apply: (spec) => ({ ...spec, train: { ...spec.train, gradients: "bf16" } }),
          },
        ],
};

const offload: Lever = {
  trainsOther: false,
  changes: (setup) => {
    const { parallel, memory } = setup.spec;
    if (setup.topology.device === "cpu") return [];
    return OFFLOADS.slice(OFFLOADS.indexOf(memory.offload) + 1)
      .filter((kind) => parallel.zero >= OFFLOAD_FROM[kind])
      .flatMap((kind): Change[] => {
        const reduced = parallel.zero === 2 && parallel.reduction === "once";
        const apply = (spec: SettledSpec): SettledSpec => ({
          ...spec,
          memory: { ...spec.memory, offload: kind },
          parallel: { ...spec.parallel, reduction: "every-micro-batch" },
        });
        // Gradients that stay whole on a rank have nothing to do on the host: another lever's matter.
        if (reduced) return [];
        const ranks = setup.topology.gpus_per_node;
        const host = offloadedBytes(fitProblem(changed(setup, apply)), ranks);
        const available = setup.topology.host_memory_bytes;
        if (available !== null && host > available) return [];
        const remark = `keeps ${formatBytes(host)} in a node's memory`;
        return [
          {
            block: "memory",
            keys: { offload: kind },
            loss: kind === "all" ? 8 : 6,
            remark,
            apply,
          },
        ];
      });
  },
};

const adapters: Lever = {
  trainsOther: true,
  changes: ({ spec }) =>
    spec.lora.rank > 0
      ? []
      : [
          {
            block: "lora",
            keys: { rank: LORA_RANK },
            loss: 20,
            remark: "trains adapters in place of the weights",
            apply: (changed) => ({ ...changed, lora: { ...changed.lora, rank: LORA_RANK } }),
          },
        ],
};

/** A bucket of the spec's own that is too small for the longest sequence, made as large as it asks. */
const bucket: Lever = {
  trainsOther: false,
  changes: (setup) => {
    const shard = shardTokens(longestOf(setup), largestGroup(setup));
    const own = setup.spec.memory.bucket;
    if (own === undefined || own >= shard) return [];
    const apply = (spec: SettledSpec): SettledSpec => ({
      ...spec,
      memory: { ...spec.memory, bucket: shard },
    });
    return [{ block: "memory", keys: { bucket: shard }, loss: 0, apply }];
  },
};

/** A larger budget, up to what the machine has. */
const budget: Lever = {
  trainsOther: false,
  changes: (setup) => {
    const { memory, cluster } = setup.spec;
    const own = memory.budget;
    if (own === undefined && setup.topology.device === "cuda") return [];
    const needed = Math.ceil((neededBytes(fitProblem(setup)) + memory.reserve) / MIB) * MIB;
    const most = mostOfRank(setup);
    if (needed > most || needed <= (own ?? memoryOfRank(setup.inputs.gpu, cluster))) return [];
    const apply = (spec: SettledSpec): SettledSpec => ({
      ...spec,
      memory: { ...spec.memory, budget: needed },
    });
    return [{ block: "memory", keys: { budget: `${needed / MIB} MiB` }, loss: 0, apply }];
  },
};

/** Bytes that a rank could have: of its GPU, or on CPU its share of the node, where that is known. */
function mostOfRank({ inputs, topology, spec }: Setup): number {
  if (topology.device === "cuda") return inputs.gpu.memory_bytes;
  const { host_memory: node, gpus } = spec.cluster;
  return node === undefined ? Number.MAX_SAFE_INTEGER : Math.floor(node / gpus);
}

/** Shorter samples only; of those that are longer, what the spec says becomes, and nothing where it says `error`. */
export const shorter: Lever = {
  trainsOther: true,
  changes: (setup) => {
    const room = longestThatFits(bucketOf(fitProblem(setup)), largestGroup(setup));
    const { overlong, max_length: now } = setup.spec.data;
    if (room < 1 || room >= now) return [];
    const dropped = overlong === "error" ? { overlong: "drop" } : {};
    const remark = shortening(setup, room, overlong === "truncate");
    if (remark === undefined) return [];
    // The data is measured again: here, only its longest sequence changes.
    const apply = (spec: SettledSpec): SettledSpec => ({
      ...spec,
      data: { ...spec.data, max_length: room },
    });
    return [{ block: "data", keys: { max_length: room, ...dropped }, loss: 30, remark, apply }];
  },
};

/** What is lost of the data; `undefined` where nothing would be left. */
function shortening({ inputs, spec }: Setup, room: number, truncate: boolean): string | undefined {
  const { length: lengths } = inputs.data.index.samples;
  const fate = truncate ? "truncates" : "drops";
  if (lengths.length === 0)
    return `${fate} what is longer, now up to ${formatCount(spec.data.max_length)} tokens`;
  const over = lengths.filter((length) => length > room);
  if (over.length === lengths.length && !truncate) return undefined;
  const lost = sum(over) - (truncate ? room * over.length : 0);
  const tokens = formatShare(lost / sum(lengths));
  return `${fate} ${formatShare(over.length / lengths.length)} of samples, ${tokens} of tokens; the longest has ${formatCount(inputs.data.summary.longest)} tokens`;
}

/** In the order that they are applied: a bucket, a budget and a length are worked out from all else. */
export const LEVERS: readonly Lever[] = [
  policy,
  reduction,
  stage,
  checkpointing,
  degree,
  gradients,
  offload,
  adapters,
  bucket,
  budget,
  shorter,
];

/** Those that shrink a rank, in the order that they are pulled one after the other. */
export const SHRINKING: readonly Lever[] = [
  policy,
  reduction,
  stage,
  checkpointing,
  degree,
  gradients,
  offload,
  adapters,
];

/** The setup of a changed spec. */
export function changed(setup: Setup, apply: Change["apply"]): Setup {
  return setUp(apply(setup.spec), setup.origins, setup.inputs);
}
