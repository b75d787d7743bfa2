import { Ajv } from "ajv";
import type { CollectiveTable, ZeroSetting } from "../cost/hardware.js";
import type { Precision } from "../cost/shape.js";
import { once } from "../foundation/once.js";

/** What was measured on the user's own machine; everything but the head may be left out. */
export interface Profile {
  readonly format_version: 1;
  /** For people: the machine, and when. */
  readonly name: string;
  /** GPU of the catalogue. */
  readonly gpu: string;
  readonly precision: Precision;
  readonly matmul_flops?: number;
  readonly head_flops?: number;
  readonly attention_flops?: number;
  readonly small_shard_tokens?: number;
  readonly elementwise_bytes_per_second?: number;
  readonly micro_batch_us?: number;
  readonly micro_batch_least_us?: number;
  readonly step_us?: number;
  readonly zero_included?: ZeroSetting;
  readonly zero_overlap?: number;
  readonly memory_bandwidth?: number;
  readonly host_link?: number;
  readonly host_adam_parameters?: number;
  readonly network_bytes_per_second?: number;
  readonly crossing_factor?: number;
  readonly activation_factor?: number;
  readonly collectives?: readonly CollectiveTable[];
}

export type ReadProfile =
  | { readonly ok: true; readonly profile: Profile }
  | { readonly ok: false; readonly problems: readonly string[] };

const positive = (maximum: number) => ({ type: "number", exclusiveMinimum: 0, maximum });
const times = { type: "array", minItems: 2, maxItems: 1000, items: positive(1e12) };

/** JSON Schema of a profile; schemas/profile.schema.json is written from it. */
export const PROFILE_SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "What a skrull profile measured on a machine",
  type: "object",
  additionalProperties: false,
  required: ["format_version", "name", "gpu", "precision"],
  dependencies: {
    zero_included: ["micro_batch_us", "step_us"],
    zero_overlap: ["zero_included"],
    micro_batch_least_us: ["micro_batch_us"],
    // Without this, matrix products include what it is about.
    elementwise_bytes_per_second: ["matmul_flops"],
  },
  properties: {
    format_version: { const: 1 },
    name: {
      type: "string",
      minLength: 1,
      maxLength: 200,
      description: "The machine, for people.",
    },
    gpu: { type: "string", description: "GPU of the catalogue, as in a spec's cluster block." },
    precision: { enum: ["bf16", "fp32"] },
    matmul_flops: {
      ...positive(1e18),
      description: "FLOPs per second that matrix products reach in training.",
    },
    head_flops: {
      ...positive(1e18),
      description: "FLOPs per second that the output head and its loss reach in training.",
    },
    attention_flops: {
      ...positive(1e18),
      description: "FLOPs per second that attention to long sequences reaches in training.",
    },
    small_shard_tokens: {
      type: "number",
      minimum: 0,
      maximum: 1e9,
      description: "s where a shard of x tokens runs its attention at rate x / (x + s).",
    },
    elementwise_bytes_per_second: {
      ...positive(1e15),
      description:
        "Bytes per second at which norms, rotary embeddings, activations and residuals run; without it, matmul_flops includes them.",
    },
    micro_batch_us: {
      type: "number",
      minimum: 0,
      maximum: 1e12,
      description: "Fixed cost of a micro-batch, us.",
    },
    micro_batch_least_us: {
      type: "number",
      minimum: 0,
      maximum: 1e12,
      description:
        "What a micro-batch takes at least, however little is in it, us; micro_batch_us comes on top.",
    },
    step_us: {
      type: "number",
      minimum: 0,
      maximum: 1e12,
      description: "Cost of an optimizer step besides its micro-batches, us.",
    },
    zero_included: {
      type: "object",
      additionalProperties: false,
      required: ["stage", "ranks", "parameters"],
      description:
        "The setting whose ZeRO communication micro_batch_us and step_us include; without it they include none.",
      properties: {
        stage: { enum: [0, 1, 2, 3] },
        ranks: { type: "integer", minimum: 1, maximum: 65536 },
        parameters: { type: "integer", minimum: 1, maximum: 1e15 },
        gradients: { enum: ["bf16", "fp32"] },
        trained: { type: "integer", minimum: 1, maximum: 1e15 },
        offload: { enum: ["none", "optimizer", "all"] },
      },
    },
    zero_overlap: {
      type: "number",
      minimum: 0,
      maximum: 1,
      description: "Share of ZeRO's communication in a micro-batch that runs beside its work.",
    },
    memory_bandwidth: {
      ...positive(1e15),
      description: "Bytes per second that a rank's device reads and writes of its memory.",
    },
    host_link: {
      ...positive(1e15),
      description: "Bytes per second to and from the host's memory, of a rank.",
    },
    host_adam_parameters: {
      ...positive(1e15),
      description:
        "Parameters per second that a node's processors step with AdamW, its ranks together.",
    },
    network_bytes_per_second: {
      ...positive(1e15),
      description:
        "Bytes per second that a rank's network card reaches in collectives between nodes.",
    },
    crossing_factor: {
      type: "number",
      minimum: 1,
      maximum: 1e6,
      description:
        "How many times longer a message takes to start between nodes than inside of one.",
    },
    activation_factor: {
      type: "number",
      minimum: 0.1,
      maximum: 10,
      description: "Measured bytes of activations per token over those of the memory model.",
    },
    collectives: {
      type: "array",
      minItems: 1,
      maxItems: 64,
      description: "Times of collectives, one table for every size of group.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["ranks", "nodes", "megabytes", "all_gather_us", "reduce_scatter_us"],
        properties: {
          ranks: { type: "integer", minimum: 2, maximum: 65536 },
          nodes: { type: "integer", minimum: 1, maximum: 65536 },
          megabytes: { ...times, description: "Size of the gathered whole, 10^6 bytes." },
          all_gather_us: times,
          reduce_scatter_us: times,
          all_to_all_us: {
            ...times,
            description:
              "Of the gradients of keys and values; without it, as a reduce-scatter, which profiles had before.",
          },
        },
      },
    },
  },
} as const;

/** Made when first needed: most verbs need none, and it takes longer than all that `lint` does. */
const validator = once(() => new Ajv({ allErrors: true }).compile<Profile>(PROFILE_SCHEMA));

/** Checks a parsed profile; says every problem. Never throws. */
export function readProfile(json: unknown): ReadProfile {
  const validate = validator();
  if (!validate(json)) {
    const problems = (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const key = "additionalProperty" in params ? ` ('${params["additionalProperty"]}')` : "";
      return `${instancePath || "the document"} ${message}${key}`;
    });
    return { ok: false, problems };
  }
  const problems = (json.collectives ?? []).flatMap(tableProblems);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, profile: json };
}

const TIMED = ["all_gather_us", "reduce_scatter_us", "all_to_all_us"] as const;

function tableProblems(table: CollectiveTable, n: number): readonly string[] {
  const { megabytes } = table;
  const rows = TIMED.flatMap((key) => (table[key] ? [[key, table[key]] as const] : []));
  const place = `/collectives/${n}`;
  const problems = [];
  if (rows.some(([, row]) => row.length !== megabytes.length)) {
    problems.push(`${place} does not have one time for every size`);
  }
  if (megabytes.some((size, m) => m > 0 && size <= (megabytes[m - 1] ?? 0))) {
    problems.push(`${place}/megabytes must ascend`);
  }
  for (const [key, row] of rows) {
    if ((row.at(-1) ?? 0) <= (row[0] ?? 0))
      problems.push(`${place}/${key} must grow with the size`);
  }
  if (table.nodes > table.ranks) problems.push(`${place} has more nodes than ranks`);
  return problems;
}
