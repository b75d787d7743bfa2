/** Where a constant of the time model comes from. */
export type Provenance = "measured" | "fitted" | "assumed";

/** A constant of the time model that holds for every GPU. docs/predictions.md lists them. */
export interface MachineConstant {
  readonly value: number;
  readonly unit: string;
  readonly from: Provenance;
  readonly what: string;
  readonly source: string;
}

const TRUTH = "bench:truth's published runs";
const EAGER =
  "Llama-3.2-1B, eager, checkpointed, 512 tokens: 48.8 ms, of which 8.1 a forward (github:stas00/ml-engineering@744d01e training/performance)";

/** What is the same on every machine, or close enough. */
export const MACHINE_CONSTANTS = {
  matmul_in_training: {
    value: 0.92,
    unit: "share",
    from: "fitted",
    what: "Speed of a matrix product inside of a training step over that by itself",
    source: TRUTH,
  },
  attention_in_training: {
    value: 0.93,
    unit: "share",
    from: "fitted",
    what: "The same of attention",
    source: TRUTH,
  },
  hopper_attention_in_training: {
    value: 0.66,
    unit: "share",
    from: "fitted",
    what: "The same of FlashAttention-2 on Hopper, which it does not use to the full",
    source: TRUTH,
  },
  attention_half_tokens: {
    value: 450,
    unit: "tokens",
    from: "measured",
    what: "A shard of x tokens runs its attention at rate x / (x + this)",
    source: "arXiv:2307.08691 Fig. 4 and 7, causal, 512 to 4K tokens: 380 to 515",
  },
  elementwise: {
    value: 0.98,
    unit: "share",
    from: "fitted",
    what: "Time of norms, rotary embeddings, activations and residuals over the table of kernels",
    source: TRUTH,
  },
  layer_forward_us: {
    value: 510,
    unit: "us",
    from: "measured",
    what: "The host's time to start a layer's forward, eager",
    source: EAGER,
  },
  layer_backward_us: {
    value: 1500,
    unit: "us",
    from: "measured",
    what: "The host's time to start a layer's backward",
    source: EAGER,
  },
  zero3_layer_us: {
    value: 3000,
    unit: "us",
    from: "fitted",
    what: "The host's time for ZeRO 3's hooks, of a layer and pass",
    source: TRUTH,
  },
  adapter_factor: {
    value: 1.85,
    unit: "times",
    from: "fitted",
    what: "The host's time for a layer with adapters over one without",
    source: TRUTH,
  },
  network_share: {
    value: 0.93,
    unit: "share",
    from: "measured",
    what: "Of the rate of a network card, in collectives between nodes",
    source:
      "nccl-tests on 8 x 400 Gbit/s: 47 of 50 GB/s (NVIDIA/nccl-tests#290), 8 x 200 Gbit/s: 24 of 25 (NVIDIA/nccl#812)",
  },
  crossing_factor: {
    value: 4,
    unit: "times",
    from: "measured",
    what: "How much longer a message takes to start between nodes than inside of one",
    source:
      "all-gathers of 1 KB: 10 us in a node, 34 to 54 on InfiniBand and RoCE (Vultr's HGX B200 report of May 2026; github:GoogleCloudPlatform/cluster-toolkit gke-a4-highgpu)",
  },
  zero_overlap: {
    value: 0.69,
    unit: "share",
    from: "fitted",
    what: "Of ZeRO's communication in a micro-batch, what runs beside its work",
    source: TRUTH,
  },
  step_us: {
    value: 30_000,
    unit: "us",
    from: "assumed",
    what: "The host's time for an optimizer step",
    source: "assumed",
  },
} as const satisfies Record<string, MachineConstant>;

export type MachineConstantName = keyof typeof MACHINE_CONSTANTS;

/** Their values. */
export type MachineConstants = Readonly<Record<MachineConstantName, number>>;

/** The values, by name. */
export const CONSTANT_VALUES = Object.fromEntries(
  Object.entries(MACHINE_CONSTANTS).map(([name, { value }]) => [name, value]),
) as MachineConstants;
