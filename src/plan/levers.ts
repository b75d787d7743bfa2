import { memoryOfRank } from "../catalogue/gpu.js";
import type { Offload, ZeroStage } from "../cost/memory.js";
import { formatBytes, formatCount, formatShare } from "../foundation/format.js";
import { sum } from "../foundation/statistics.js";
import { CHECKPOINTING_WORDS } from "../foundation/vocabularies.generated.js";
import { OFFLOAD_FROM } from "../language/offload.js";
import { contexts } from "./contexts.js";
import {
  bucketOf,
  fitProblem,
  fits,
  largestGroup,
  longestOf,
  longestShard,
  longestThatFits,
  neededBytes,
  offloadedBytes,
} from "./fit.js";
import { type SettledSpec, type Setup, setUp } from "./setup.js";

/** A change of the spec: what a block's keys become, and the spec with it. */
interface Change {
  readonly block: "model" | "parallel" | "memory" | "lora" | "schedule" | "data";
  readonly keys: Readonly<Record<string, string | number>>;
  /** What it costs beside memory, in no unit: the mildest come first. */
  readonly loss: number;
  /** What a user should know before taking it. */
  readonly remark?: string;
  readonly apply: (spec: SettledSpec) => SettledSpec;
}

/** One thing that may be changed, and its values, mildest first; which depends on what is changed before it. */
interface Lever {
  /** Whether another model comes out: fewer weights or fewer tokens are trained. */
  readonly trainsOther: boolean;
  readonly changes: (setup: Setup) => readonly Change[];
}

/** Changes that together make a spec fit. */
export interface Advice {
  /** Blocks with the keys to write, such as `{ memory: { offload: "optimizer" } }`. */
  readonly blocks: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
  /** As it is written in a spec, with what a user should know. */
  readonly text: string;
  readonly trainsOther: boolean;
}

/** What would make a spec fit; or how near the nearest setting is, where nothing does. */
export interface Levers {
  /** Nearest first: by the number of changes, then by what they cost. */
  readonly advice: readonly Advice[];
  /** Bytes of a rank under the setting that needs least, reserve not counted, and that setting. */
  readonly nearest: { readonly bytes: number; readonly text: string };
}

/** Of those that change the same of what is trained. */
const MOST_OF_TIER = 4;
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
  changes: ({ spec: { model } }) =>
    CHECKPOINTING_WORDS.slice(CHECKPOINTING_WORDS.indexOf(model.checkpointing) + 1).map((mode) => ({
      block: "model",
      keys: { checkpointing: mode },
      loss: mode === "full" ? 3 : 2,
      apply: (spec) => ({ ...spec, model: { ...spec.model, checkpointing: mode } }),
    })),
};

const degree: Lever = {
  trainsOther: false,
  changes: (setup) => {
    const { spec, topology } = setup;
    const longest = longestOf(setup);
    return contexts(topology.ranks, spec.schedule.degrees)
      .filter((context) => context > spec.parallel.context && context <= longest)
      .map((context, n) => ({
        block: "parallel",
        keys: { context },
        loss: 2 + n / 8,
        apply: (changed) => ({ ...changed, parallel: { ...changed.parallel, context } }),
      }));
  },
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
    const shard = longestShard(longestOf(setup), largestGroup(setup));
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
const shorter: Lever = {
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
const LEVERS: readonly Lever[] = [
  policy,
  reduction,
  stage,
  checkpointing,
  degree,
  offload,
  adapters,
  bucket,
  budget,
  shorter,
];

/** The setup of a changed spec. */
function changed(setup: Setup, apply: Change["apply"]): Setup {
  return setUp(apply(setup.spec), setup.origins, setup.inputs);
}

interface Combination {
  readonly changes: readonly Change[];
  readonly setup: Setup;
  readonly trainsOther: boolean;
}

/** Whether a setup fits; a `max_length` that it was given holds for its data. */
function fitsNow({ setup, changes }: Combination): boolean {
  const problem = fitProblem(setup);
  const limit = changes.some(({ block }) => block === "data")
    ? setup.spec.data.max_length
    : problem.longest;
  return fits({ ...problem, longest: Math.min(problem.longest, limit) });
}

/** All combinations of exactly `count` of the levers, in their order. */
function* combinations(
  setup: Setup,
  levers: readonly Lever[],
  count: number,
  before: Combination = { changes: [], setup, trainsOther: false },
): Generator<Combination> {
  if (count === 0) {
    yield before;
    return;
  }
  for (let n = 0; n + count <= levers.length; n += 1) {
    const lever = levers[n] as Lever;
    for (const change of lever.changes(before.setup)) {
      const next = {
        changes: [...before.changes, change],
        setup: changed(before.setup, change.apply),
        trainsOther: before.trainsOther || lever.trainsOther,
      };
      yield* combinations(setup, levers.slice(n + 1), count - 1, next);
    }
  }
}

/** What an advice may change: nothing that is trained; the weights that are; or how much of the data is. */
const TIERS: readonly (readonly Lever[])[] = [
  LEVERS.filter(({ trainsOther }) => !trainsOther),
  LEVERS.filter((lever) => lever !== shorter),
  LEVERS,
];

/**
 * Changes to a spec that make its longest sequence fit: levers one by one, then in combination, tried with the memory
 * model that the plan has, never with more memory than the machine has. Of the same levers, the mildest values; those
 * of the fewest changes, but also the fewest that train the same, and that train on the same data.
 */
export function leversThatFit(setup: Setup): Levers {
  const found = new Map<string, Combination>();
  for (const levers of TIERS) {
    for (const combination of fewestChanges(setup, levers).slice(0, MOST_OF_TIER))
      found.set(combination.changes.map(keyOf).join(" "), combination);
  }
  const nearestFirst = [...found.values()].sort(
    (a, b) => a.changes.length - b.changes.length || lossOf(a) - lossOf(b),
  );
  return { advice: nearestFirst.map(adviceOf), nearest: nearestOf(setup) };
}

function fewestChanges(setup: Setup, levers: readonly Lever[]): Combination[] {
  for (let count = 1; count <= levers.length; count += 1) {
    const best = new Map<string, Combination>();
    for (const combination of combinations(setup, levers, count)) {
      const key = combination.changes.map(keyOf).join(" ");
      const known = best.get(key);
      if (known && lossOf(known) <= lossOf(combination)) continue;
      if (fitsNow(combination)) best.set(key, combination);
    }
    if (best.size > 0) return [...best.values()].sort((a, b) => lossOf(a) - lossOf(b));
  }
  return [];
}

const keyOf = ({ block, keys }: Change) => `${block}.${Object.keys(keys).join()}`;
const lossOf = ({ changes }: Combination) => changes.reduce((sum, { loss }) => sum + loss, 0);

function adviceOf({ changes, trainsOther }: Combination): Advice {
  const blocks: Record<string, Record<string, string | number>> = {};
  for (const { block, keys } of changes) blocks[block] = { ...blocks[block], ...keys };
  const written = Object.entries(blocks).map(
    ([block, keys]) =>
      `${block} { ${Object.entries(keys)
        .map(([key, value]) => `${key} = ${value}`)
        .join(" ")} }`,
  );
  const remarks = changes.flatMap(({ remark }) => remark ?? []);
  const note = remarks.length > 0 ? ` (${remarks.join("; ")})` : "";
  return { blocks, text: `${written.join(" and ")}${note}`, trainsOther };
}

/** The setting that needs least: everything that shrinks a rank, one lever after the other, whatever it costs. */
function nearestOf(setup: Setup): Levers["nearest"] {
  const need = (of: Setup) => neededBytes(fitProblem(of));
  let best: Combination = { changes: [], setup, trainsOther: false };
  for (const lever of [policy, reduction, stage, checkpointing, degree, offload, adapters]) {
    let least = best;
    for (const change of lever.changes(best.setup)) {
      const setup = changed(best.setup, change.apply);
      if (need(setup) < need(least.setup))
        least = {
          changes: [...best.changes, change],
          setup,
          trainsOther: best.trainsOther || lever.trainsOther,
        };
    }
    best = least;
  }
  return { bytes: need(best.setup), text: adviceOf(best).text };
}
