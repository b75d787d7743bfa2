import { describe, expect, it } from "vitest";
import { activationRows, hostActivationRows, layerBytes } from "../../src/cost/activations.js";
import { type MemorySetting, memoryModel } from "../../src/cost/memory.js";
import { bytesAt, type MemoryPhase } from "../../src/cost/memory-model.js";
import { LORA, MEMORY, rowOf, SMALL, SPARSE } from "./small-shape.js";

const layer = (change: Partial<MemorySetting>) => layerBytes({ ...MEMORY, ...change });
const adapted = (attention: number, mlp: number) => ({
  lora: { ...LORA, matrices: { attention, mlp } },
});

/** A norm's input in fp32, its normalised input and its output in bf16, and a sum. */
const NORM = 10 * (4 + 2 + 2) + 4;
/** The kernel's output, and a sum for every head. */
const MADE = 2 * 18 + 4 * 6;
/** Of a rank with sequences of its own only: queries, keys and values, and what the kernel made. */
const ALONE = 2 * (18 + 12) + MADE;
/** Of one that shares others: outputs of both, joined. */
const ATTENTION = ALONE + 2 * 18;
/** Gate, activated gate, up and product. */
const MLP = 4 * 2 * 7;
/** Gradients of gate, up, product and input, less the product itself. */
const MLP_AT_WORK = 2 * (3 * 7 + 10) - 2 * 7;
/** Of the router: six probabilities, and 12 bytes for each of two that are chosen; then 26 for a token's place in each. */
const ROUTED = 4 * 6 + 12 * 2 + 4 + 26 * 2;
/** Of two experts: tensors as of a dense MLP, and copies of the token before and after. */
const EXPERTS = 2 * 2 * (4 * 3 + 2 * 10) + ROUTED;
/** The input's gradient, and three copies of the token for each of two: they are more than tensors of 3. */
const EXPERTS_AT_WORK = 2 * (10 + 3 * 2 * 10);
/** Of one dense layer and four sparse ones. */
const mean = (dense: number, sparse: number) => (dense + 4 * sparse) / 5;

describe("what a token leaves in a layer", () => {
  it("are tensors that its matrices and kernels need again", () => {
    expect(layer({})).toEqual({
      inputNorm: NORM,
      attention: ATTENTION,
      made: MADE,
      postNorm: NORM,
      mlp: MLP,
      mlpAgain: MLP,
      mlpAtWork: MLP_AT_WORK,
    });
  });

  it("are twice as many bytes in fp32, but for what is fp32 anyway", () => {
    expect(layer({ precision: "fp32" })).toEqual({
      inputNorm: 10 * (4 + 4 + 4) + 4,
      attention: 4 * (18 + 12 + 18 + 18) + 4 * 6,
      made: 4 * 18 + 4 * 6,
      postNorm: 10 * (4 + 4 + 4) + 4,
      mlp: 4 * 4 * 7,
      mlpAgain: 4 * 4 * 7,
      mlpAtWork: 4 * (2 * 7 + 10),
    });
  });

  it("have one output of attention where ranks share no sequence", () => {
    expect(layer({ largestGroup: 1 })).toEqual({ ...layer({}), attention: ALONE });
    expect(layer({ largestGroup: 8 })).toEqual(layer({}));
    const fp32 = { precision: "fp32", largestGroup: 1 } as const;
    expect(layer(fp32).attention).toBe(4 * (18 + 12 + 18) + 4 * 6);
  });

  it("are fewer where norms and gated MLPs are fused", () => {
    const fused = layer({ fused: true });
    expect([fused.inputNorm, fused.postNorm]).toEqual([44, 44]);
    expect(fused.mlp).toBe(3 * 2 * 7);
    expect([fused.attention, fused.mlpAtWork]).toEqual([ATTENTION, MLP_AT_WORK]);
  });

  it("have input, output and two sums of a LayerNorm, fused or not", () => {
    const shape = { ...SMALL, layer_norm: true };
    for (const fused of [false, true]) {
      const { inputNorm, postNorm } = layer({ shape, fused });
      expect([inputNorm, postNorm]).toEqual([48, 48]);
    }
  });

  it("have norms of every query and key that have some", () => {
    const shape = { ...SMALL, query_key_norm: true };
    // 18 and 6 wide, of 6 and 2 heads: input in fp32 and normalised, and a sum a head.
    expect(layer({ shape }).attention).toBe(ATTENTION + (4 + 2) * 24 + 4 * 8);
    const frozen = layer({ shape, ...adapted(0, 0) });
    expect(frozen.attention).toBe(ATTENTION + 4 * 24 + 4 * 8);
  });

  it("are two tensors of a plain MLP", () => {
    const shape = { ...SMALL, gated_mlp: false };
    for (const fused of [false, true]) {
      const { mlp, mlpAtWork } = layer({ shape, fused });
      expect([mlp, mlpAtWork]).toEqual([2 * 2 * 7, 2 * (7 + 10)]);
    }
    // With an adapter, two gradients of the MLP's width.
    expect(layer({ shape, ...adapted(0, 1) }).mlpAtWork).toBe(2 * 2 * 7);
    expect(layer({ shape, ...adapted(1, 0) }).mlpAtWork).toBe(2 * (7 + 10));
    expect(layer({ shape, precision: "fp32" }).mlpAtWork).toBe(4 * (7 + 10));
  });

  it("are tensors of every expert that a token passes through, its copies, and where it went", () => {
    const { mlp, mlpAgain, mlpAtWork, ...rest } = layer({ shape: SPARSE });
    // The layer that has most decides what one at work takes.
    expect(mlpAgain).toBe(EXPERTS);
    expect(mlp).toBeCloseTo(mean(MLP, EXPERTS), 9);
    expect(mlpAtWork).toBe(EXPERTS_AT_WORK);
    expect(layer({})).toMatchObject(rest);
    const all = { ...SPARSE, experts: { layers: 5, count: 6, active: 2, width: 3 } };
    expect(layer({ shape: all })).toMatchObject({ mlp: EXPERTS, mlpAtWork: EXPERTS_AT_WORK });
    const wide = { ...SPARSE, experts: { layers: 5, count: 6, active: 2, width: 30 } };
    expect(layer({ shape: wide }).mlpAtWork).toBe(2 * (10 + 2 * 2 * 30));
    expect(layer({ shape: wide, ...adapted(2, 0) }).mlpAtWork).toBe(2 * (10 + 2.75 * 2 * 30));
    const thin = { ...SPARSE, intermediate_size: 700 };
    expect(layer({ shape: thin }).mlpAtWork).toBe(2 * (2 * 700 + 10));
  });

  it("have places and probabilities of experts in the same bytes whatever the precision", () => {
    const { mlp, mlpAtWork } = layer({ shape: SPARSE, precision: "fp32" });
    expect(mlp).toBeCloseTo(mean(2 * MLP, 2 * (EXPERTS - ROUTED) + ROUTED), 9);
    expect(mlpAtWork).toBe(2 * EXPERTS_AT_WORK);
  });

  it("have neither products nor a second copy of the token in frozen experts", () => {
    const { mlp, mlpAtWork } = layer({ shape: SPARSE, ...adapted(2, 0) });
    expect(mlp).toBeCloseTo(mean(3 * 2 * 7, 2 * 2 * (3 * 3 + 10) + ROUTED), 9);
    expect(mlpAtWork).toBe(EXPERTS_AT_WORK);
  });

  it("have experts that nothing fuses", () => {
    expect(layer({ shape: SPARSE, fused: true }).mlp).toBeCloseTo(mean(3 * 2 * 7, EXPERTS), 9);
  });

  it("have inputs of adapters, and no outputs that only frozen matrices take", () => {
    const attention = layer(adapted(2, 0));
    expect(attention.inputNorm).toBe(10 * (4 + 2) + 4);
    expect(attention.postNorm).toBe(10 * 4 + 4);
    expect(attention.attention).toBe(ATTENTION + 2 * 2 * 2);
    expect(attention.mlp).toBe(3 * 2 * 7);
    const mlp = layer(adapted(0, 3));
    expect(mlp.inputNorm).toBe(10 * 4 + 4);
    expect(mlp.postNorm).toBe(10 * (4 + 2) + 4);
    expect(mlp.attention).toBe(ATTENTION);
    expect(mlp.mlp).toBe(MLP + 3 * 2 * 2);
  });

  it("have the norm's output that a frozen MLP begins with where that alone runs again", () => {
    const norms = (["none", "selective", "attention", "full"] as const).map((checkpointing) => {
      const { inputNorm, postNorm } = layer({ ...adapted(0, 0), checkpointing });
      expect(inputNorm).toBe(10 * 4 + 4);
      return postNorm;
    });
    expect(norms).toEqual([44, 10 * (4 + 2) + 4, 44, 44]);
  });

  it("have a norm's output for one adapter as for several", () => {
    expect(layer(adapted(1, 0)).inputNorm).toBe(layer(adapted(4, 0)).inputNorm);
    expect(layer(adapted(0, 1)).postNorm).toBe(layer(adapted(0, 3)).postNorm);
  });

  it("have no outputs of other norms either where matrices are frozen", () => {
    expect(layer({ ...adapted(0, 1), fused: true }).inputNorm).toBe(10 * 2 + 4);
    expect(layer({ ...adapted(0, 1), fused: true }).postNorm).toBe(10 * 4 + 4);
    const shape = { ...SMALL, layer_norm: true };
    expect(layer({ ...adapted(1, 0), shape }).postNorm).toBe(10 * 2 + 8);
    expect(layer({ ...adapted(1, 0), shape: { ...SMALL, gated_mlp: false } }).mlp).toBe(2 * 7);
  });
});

const BOUNDARY = 2 * 10;
const ALL_ATTENTION = NORM + ATTENTION + NORM;
/** The MLP as it is made again, and what its backward needs besides. */
const MLP_AGAIN = MLP + MLP_AT_WORK;

describe("activations of a token", () => {
  it.each([
    ["none", ALL_ATTENTION + MLP, MLP_AT_WORK],
    ["selective", ALL_ATTENTION, MLP_AGAIN],
    ["attention", BOUNDARY + MADE, ALL_ATTENTION - MADE + MLP_AGAIN],
    ["full", BOUNDARY, ALL_ATTENTION + MLP_AGAIN],
    ["offload", 0, ALL_ATTENTION + MLP_AGAIN],
  ] as const)("with checkpointing = %s", (checkpointing, kept, atWork) => {
    expect(rowOf("perToken", { checkpointing }, "activations")).toBe(5 * kept);
    expect(rowOf("perToken", { checkpointing }, "layer-at-work", "layers")).toBe(atWork);
    const measured = { checkpointing, activationFactor: 1.5 } as const;
    expect(rowOf("perToken", measured, "activations")).toBe(7.5 * kept);
    expect(rowOf("perToken", measured, "layer-at-work", "layers")).toBe(1.5 * atWork);
  });

  it("keep a checkpoint in the model's precision", () => {
    const fp32 = { checkpointing: "full", precision: "fp32" } as const;
    expect(rowOf("perToken", fp32, "activations")).toBe(5 * 4 * 10);
  });

  it("has the inputs of a few layers on the GPU where the host keeps those of all", () => {
    for (const [precision, bytes] of [
      ["bf16", 2],
      ["fp32", 4],
    ] as const) {
      const away = { checkpointing: "offload", precision, activationFactor: 1.5 } as const;
      const on = (phase: MemoryPhase, more: Partial<MemorySetting> = {}) =>
        rowOf("perToken", { ...away, ...more }, "checkpoints", phase);
      for (const phase of ["loss", "head", "final"] as const)
        expect(on(phase)).toBe(2 * 10 * bytes);
      for (const phase of ["layers", "attention"] as const) {
        expect(on(phase)).toBe(10 * bytes);
        expect(on(phase, { lora: LORA })).toBe(3 * 10 * bytes);
      }
      expect(rowOf("hostPerToken", away, "checkpoints")).toBe(5 * 10 * bytes);
    }
    for (const checkpointing of ["none", "selective", "attention", "full"] as const) {
      expect(rowOf("perToken", { checkpointing }, "checkpoints")).toBeNaN();
      expect(hostActivationRows({ ...MEMORY, checkpointing })).toEqual([]);
    }
  });

  it("have experts that are kept, or run again", () => {
    const atWork = (checkpointing: "none" | "selective") =>
      rowOf("perToken", { shape: SPARSE, checkpointing }, "layer-at-work", "layers");
    expect(atWork("none")).toBe(EXPERTS_AT_WORK);
    expect(atWork("selective")).toBe(EXPERTS + EXPERTS_AT_WORK);
    const later = (phase: "down" | "gate") =>
      rowOf("perToken", { shape: SPARSE }, "layer-at-work", phase);
    // A tensor of both experts is used up, then four.
    expect([later("down"), later("gate")]).toEqual([128, 92]);
    const kept = rowOf("perToken", { shape: SPARSE }, "activations");
    expect(kept).toBeCloseTo(5 * ALL_ATTENTION + MLP + 4 * EXPERTS, 9);
  });
});

describe("before and after the layers", () => {
  const ends = (precision: "bf16" | "fp32") =>
    ([undefined, "loss", "head"] as const).map((phase) =>
      rowOf("perToken", { precision }, "model-ends", phase),
    );

  it("a token has inputs and rotary embeddings, around the loss the final norm and what the loss takes", () => {
    expect(ends("bf16")).toEqual([2 * 2 * 3 + 48, 10 * (4 + 4 * 2), 10 * (4 + 2 * 2)]);
    expect(ends("fp32")).toEqual([2 * 4 * 3 + 48, 10 * (4 + 4 * 4), 10 * (4 + 2 * 4)]);
  });

  it("the final norm's backward computes in fp32, and a LayerNorm's in the model's precision", () => {
    const final = (change: Partial<MemorySetting>) =>
      rowOf("perToken", change, "model-ends", "final");
    for (const lora of [null, LORA]) expect(final({ lora })).toBe(10 * 24);
    const shape = { ...SMALL, layer_norm: true };
    expect(final({ shape })).toBe(10 * 4 * 2);
    expect(final({ shape, precision: "fp32" })).toBe(10 * 4 * 4);
  });
});

describe("an MLP in tiles", () => {
  const rows = (change: Partial<MemorySetting>) =>
    activationRows({ ...MEMORY, mlpTile: 4, ...change }).filter(
      ({ id }) => id === "layer-at-work" || id === "activations",
    );
  const bytes = (change: Partial<MemorySetting>) =>
    layerBytes({ ...MEMORY, mlpTile: 4, ...change });

  it("needs a tile's tensors whatever the tokens, and of every token the gradients of input and output", () => {
    const { inputNorm, attention, postNorm, mlpAgain, mlpAtWork } = bytes({
      checkpointing: "full",
    });
    const again = inputNorm + attention + postNorm;
    const ofTile = mlpAgain + mlpAtWork + 2 * 7;
    expect(rows({ checkpointing: "full" })).toMatchObject([
      { id: "activations", bytes: 5 * 10 * 2 },
      { bytes: again + 2 * 10 * 2, phase: "layers" },
      { bytes: ofTile, most: 4 * ofTile, phase: "layers" },
      { bytes: again + 10 * (24 - 3 * 2), phase: "norm" },
    ]);
    const adapted = { checkpointing: "full", lora: LORA } as const;
    const own = bytes(adapted);
    expect(rows(adapted)[2]?.most).toBe(4 * (own.mlpAgain + own.mlpAtWork));
  });

  it("keeps the MLP's input alone, where the rest of the layer is kept", () => {
    const { inputNorm, attention, postNorm } = bytes({});
    for (const checkpointing of ["none", "selective"] as const)
      expect(rows({ checkpointing })[0]?.bytes).toBe(5 * (inputNorm + attention + postNorm));
  });

  it("takes no more than all tokens at once do, from a few tiles on", () => {
    for (const checkpointing of ["selective", "attention", "full"] as const) {
      const most = (mlpTile: number | null) => {
        const shape = { ...SMALL, intermediate_size: 70 };
        const model = memoryModel({ ...MEMORY, shape, checkpointing, mlpTile });
        return Math.max(...(["layers", "norm"] as const).map((at) => bytesAt(at, model, 1000)));
      };
      expect(most(4)).toBeLessThan(most(null));
    }
  });
});

describe("the loss of the router", () => {
  const router = (change: Partial<MemorySetting>) => rowOf("perToken", change, "router");

  it("keeps logits and their probabilities in fp32 of every layer with experts", () => {
    expect(router({ shape: SPARSE, routerLoss: true })).toBe(4 * 6 * (2 + 4));
    expect(router({ shape: SPARSE, routerLoss: true, precision: "fp32" })).toBe(4 * 6 * 8);
  });

  it("keeps nothing where it is not trained, or there are no experts", () => {
    const ids = (change: Partial<MemorySetting>) =>
      activationRows({ ...MEMORY, ...change }).map(({ id }) => id);
    expect(ids({ shape: SPARSE })).not.toContain("router");
    expect(ids({ routerLoss: true })).not.toContain("router");
  });
});
