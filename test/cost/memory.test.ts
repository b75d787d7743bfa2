import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { communicatorBytes } from "../../src/cost/communicators.js";
import {
  bytesPerLogit,
  type MemorySetting,
  memoryModel,
  type ZeroStage,
} from "../../src/cost/memory.js";
import {
  bytesAt,
  bytesOf,
  fullestPhase,
  type MemoryModel,
  peakBytes,
  totalBytes,
} from "../../src/cost/memory-model.js";
import type { TransformerShape } from "../../src/cost/shape.js";
import { LORA, MEMORY, rowOf, SMALL, SPARSE } from "./small-shape.js";

const fixed = (change: Partial<MemorySetting>) => memoryModel({ ...MEMORY, ...change }).fixed;

describe("the loss", () => {
  const head = (change: Partial<MemorySetting>) =>
    (["loss", "head"] as const).map((phase) => rowOf("fixed", change, "head-gradient", phase));

  it("has 6 x 11 logits of a chunk, with their softmax and gradients", () => {
    expect(rowOf("fixed", {}, "logits", "loss")).toBe(66 * 10);
    expect(rowOf("fixed", { precision: "fp32" }, "logits", "loss")).toBe(66 * 8);
    expect([bytesPerLogit("bf16"), bytesPerLogit("fp32")]).toEqual([10, 8]);
  });

  it("adds up the gradient of 10 x 11 weights in fp32, which is cast when it is done", () => {
    expect(head({})).toEqual([110 * 4, 110 * (4 + 2)]);
    expect(head({ precision: "fp32" })).toEqual([110 * 4, 110 * (4 + 4)]);
  });

  it("has no gradient of a frozen head", () => expect(head({ lora: LORA })).toEqual([0, 0]));
});

describe("gradients of weights that wait", () => {
  const waiting = (change: Partial<MemorySetting>) =>
    (["layers", "attention"] as const).map((phase) =>
      rowOf("fixed", change, "weight-gradients", phase),
    );
  const tied = { ...SMALL, tied_embeddings: true };
  const plain = { ...SMALL, gated_mlp: false };

  it("are a tied head's, until that of the embedding is there", () => {
    expect(waiting({ shape: tied })).toEqual([110 * 2, 110 * 2]);
    expect(waiting({ shape: tied, precision: "fp32" })).toEqual([110 * 4, 110 * 4]);
  });

  it("are a plain MLP's of 7 x 10 weights, while it runs backward", () => {
    expect(waiting({ shape: plain })).toEqual([70 * 2, Number.NaN]);
    expect(waiting({ shape: { ...plain, tied_embeddings: true } })).toEqual([180 * 2, 110 * 2]);
    expect(waiting({ shape: plain, precision: "fp32" })[0]).toBe(70 * 4);
  });

  it("are experts' down matrices, and then those of gate and up", () => {
    const ofExperts = (change: Partial<MemorySetting>) =>
      (["layers", "down", "gate", "attention"] as const).map((phase) =>
        rowOf("fixed", change, "weight-gradients", phase),
      );
    // Six experts of 3 x 10.
    expect(ofExperts({ shape: SPARSE })).toEqual([NaN, 2 * 180, 2 * 360, NaN]);
    const both = { shape: { ...SPARSE, tied_embeddings: true }, precision: "fp32" } as const;
    expect(ofExperts(both)).toEqual([4 * 110, 4 * 290, 4 * 470, 4 * 110]);
    expect(ofExperts({ shape: tied })).toEqual([2 * 110, NaN, NaN, 2 * 110]);
    expect(ofExperts({ shape: SPARSE, lora: LORA })).toEqual([NaN, NaN, NaN, NaN]);
  });

  it("are none where weights are frozen, or all are of another kind", () => {
    const none = [Number.NaN, Number.NaN];
    expect(waiting({})).toEqual(none);
    expect(waiting({ shape: { ...plain, tied_embeddings: true }, lora: LORA })).toEqual(none);
    expect(fixed({}).map(({ id }) => id)).not.toContain("weight-gradients");
  });
});

describe("what PyTorch's allocator does not see", () => {
  const one = { ranks: 1, degrees: [], ranksPerNode: 8 };

  it("is a CUDA context, and communicators where there are groups", () => {
    expect(fixed({ groups: one }).slice(8)).toEqual([
      { id: "context", name: "CUDA context", bytes: 0.8 * 1024 ** 3 },
    ]);
    const groups = { ...one, ranks: 2 };
    expect(rowOf("fixed", { groups }, "communicators")).toBe(communicatorBytes(groups));
    expect(fixed({}).map(({ id }) => id)).not.toContain("context");
  });

  it("has gaps of a twentieth of what is kept and of a layer at work", () => {
    const ids = memoryModel(MEMORY).perToken.map(({ id }) => id);
    expect(ids).not.toContain("fragmentation");
    const gaps = (change: Partial<MemorySetting>) =>
      rowOf("perToken", { groups: one, ...change }, "fragmentation");
    // Activations, a layer at work and inputs of activations.test.ts; then gathered keys and values.
    expect(gaps({ largestGroup: 1 })).toBeCloseTo((5 * 344 + 48 + 60) / 20, 9);
    expect(gaps({})).toBeCloseTo((5 * 380 + 48 + 60 + 300) / 20, 9);
    expect(gaps({ orderedSums: true })).toBe(gaps({}));
  });
});

describe("communicators", () => {
  const megabytes = (ranks: number, degrees: number[], ranksPerNode = 8) =>
    communicatorBytes({ ranks, degrees, ranksPerNode }) / 1e6;

  it("take what was measured", () => {
    expect(megabytes(1, [])).toBe(0);
    expect(megabytes(2, [])).toBe(544);
    expect(megabytes(8, [])).toBe(688);
    // NVIDIA/nccl#1685: 3.28 GB more with the first all-to-all of 8 H100.
    expect(megabytes(8, [8])).toBe(2 * 688 + 7 * 469);
  });

  it("add up over the groups of a rank, less for ranks of another node", () => {
    expect(megabytes(8, [2, 8])).toBe(megabytes(8, [8]) + 544 + 469);
    expect(megabytes(16, [16])).toBe(2 * 688 + 7 * 469 + 8 * 25);
  });
});

/** By moment: 11, 103, 1009, 10007 and 100003 bytes at once, and 2 and 3 a token. */
const MODEL: MemoryModel = {
  fixed: [
    { id: "weights", name: "", bytes: 1 },
    { id: "logits", name: "", bytes: 11, phase: "loss" },
    { id: "head-gradient", name: "", bytes: 103, phase: "head" },
    { id: "gathered-weights", name: "", bytes: 1009, phase: "layers" },
    { id: "gathered-weights", name: "", bytes: 10_007, phase: "attention" },
    { id: "step", name: "", bytes: 100_003, phase: "step" },
  ],
  perToken: [
    { id: "activations", name: "", bytes: 2 },
    { id: "gathered", name: "", bytes: 3, phase: "attention", most: 600 },
  ],
  host: [],
  hostPerToken: [],
};

describe("a moment of a step", () => {
  it("has what is there all along and what is there then; the step has no tokens any more", () => {
    const at = (tokens: number) =>
      (["loss", "head", "layers", "attention", "step"] as const).map((phase) =>
        bytesAt(phase, MODEL, tokens),
      );
    expect(at(0)).toEqual([12, 104, 1010, 10_008, 100_004]);
    expect(at(100)).toEqual([212, 304, 1210, 10_508, 100_004]);
  });

  it("has no more of a row than its most", () => {
    const gathered = (tokens: number) =>
      bytesAt("attention", MODEL, tokens) - bytesAt("layers", MODEL, tokens) - (10_007 - 1009);
    expect([199, 200, 201, 9999].map(gathered)).toEqual([597, 600, 600, 600]);
  });

  it("is where memory is fullest", () => {
    expect(fullestPhase(MODEL, 40_000)).toBe("step");
    expect(peakBytes(MODEL, 40_000)).toBe(100_004);
    expect(fullestPhase(MODEL, 50_000)).toBe("attention");
    expect(peakBytes(MODEL, 50_000)).toBe(1 + 10_007 + 100_000 + 600);
    for (const phase of ["loss", "head", "down", "gate"] as const) {
      const more = { id: "logits", name: "", bytes: 10 ** 6, phase } as const;
      expect(fullestPhase({ ...MODEL, fixed: [...MODEL.fixed, more] }, 1)).toBe(phase);
    }
    expect(fullestPhase({ ...MODEL, fixed: [], perToken: [] }, 1)).toBe("layers");
  });

  it("adds up rows and finds one", () => {
    expect(totalBytes(MODEL.fixed)).toBe(1 + 11 + 103 + 1009 + 10_007 + 100_003);
    expect(bytesOf(MODEL.fixed, "head-gradient")).toBe(103);
    expect(bytesOf(MODEL.fixed, "router")).toBe(0);
  });
});

/** A model whose parameters follow from its dimensions. */
function counted(dimensions: Partial<TransformerShape>): TransformerShape {
  const shape = { ...SMALL, ...dimensions };
  const { hidden_size: hidden, layers, vocab_size, intermediate_size } = shape;
  const queries = shape.heads * shape.head_dim;
  const projections = hidden * (2 * queries + 2 * shape.kv_heads * shape.head_dim);
  const layer = projections + 3 * hidden * intermediate_size;
  const embeddings = vocab_size * hidden * (shape.tied_embeddings ? 1 : 2);
  return { ...shape, parameters: layers * layer + embeddings };
}

/** The same with the layers' own kinds: experts and windows in all of them, or in none. */
function kinds({ sparse, narrow, ...dimensions }: Dimensions): TransformerShape {
  const shape = counted(dimensions);
  const { layers } = shape;
  const experts = sparse ? { layers, count: 6, active: 2, width: 3 } : null;
  return { ...shape, experts, sliding_window: narrow ? { tokens: 50, layers } : null };
}

const DIMENSIONS = fc.record({
  hidden_size: fc.integer({ min: 1, max: 300 }),
  layers: fc.integer({ min: 1, max: 40 }),
  vocab_size: fc.integer({ min: 1, max: 3000 }),
  intermediate_size: fc.integer({ min: 1, max: 500 }),
  head_dim: fc.integer({ min: 1, max: 64 }),
  kv_heads: fc.constantFrom(1, 2, 3, 6),
  query_key_norm: fc.boolean(),
  layer_norm: fc.boolean(),
  tied_embeddings: fc.boolean(),
  gated_mlp: fc.boolean(),
  sparse: fc.boolean(),
  narrow: fc.boolean(),
});
type Dimensions = typeof DIMENSIONS extends fc.Arbitrary<infer Drawn> ? Drawn : never;
const CHANGES = fc.record({
  zeroStage: fc.constantFrom<ZeroStage>(0, 1, 2, 3),
  checkpointing: fc.constantFrom("none", "selective", "attention", "full", "offload"),
  precision: fc.constantFrom("bf16", "fp32"),
  gradients: fc.constantFrom("bf16", "fp32"),
  offload: fc.constantFrom("none", "optimizer", "all"),
  kernel: fc.constantFrom("none", "flash2", "flash3"),
  lora: fc.constantFrom(null, LORA),
  largestGroup: fc.constantFrom(1, 2, 8),
  ranks: fc.constantFrom(1, 4),
  zeroBucket: fc.constantFrom(10, 10_000),
  fused: fc.boolean(),
  orderedSums: fc.boolean(),
  groups: fc.constantFrom(null, { ranks: 4, degrees: [2], ranksPerNode: 8 }),
}) satisfies fc.Arbitrary<Partial<MemorySetting>>;

describe("the peak", () => {
  it.each([
    "hidden_size",
    "layers",
    "vocab_size",
    "intermediate_size",
  ] as const)("never falls as %s grows", (dimension) => {
    const more = fc.integer({ min: 1, max: 20 });
    const tokens = fc.integer({ min: 0, max: 5000 });
    fc.assert(
      fc.property(DIMENSIONS, CHANGES, more, tokens, (dimensions, change, by, held) => {
        const peak = (shape: TransformerShape) =>
          peakBytes(memoryModel({ ...MEMORY, ...change, shape }), held);
        const larger = { ...dimensions, [dimension]: dimensions[dimension] + by };
        expect(peak(kinds(larger))).toBeGreaterThanOrEqual(peak(kinds(dimensions)));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("never falls as tokens are added", () => {
    const tokens = fc.integer({ min: 0, max: 10 ** 7 });
    fc.assert(
      fc.property(DIMENSIONS, CHANGES, tokens, tokens, (dimensions, change, one, other) => {
        const model = memoryModel({ ...MEMORY, ...change, shape: kinds(dimensions) });
        const [few, many] = [Math.min(one, other), Math.max(one, other)];
        expect(peakBytes(model, many)).toBeGreaterThanOrEqual(peakBytes(model, few));
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});
