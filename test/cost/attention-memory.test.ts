import { describe, expect, it } from "vitest";
import {
  attentionRows,
  gatheredBytes,
  MOST_WORKSPACE,
  windowRows,
} from "../../src/cost/attention-memory.js";
import type { MemorySetting } from "../../src/cost/memory.js";
import type { TransformerShape } from "../../src/cost/shape.js";
import { MEMORY, rowOf, SMALL } from "./small-shape.js";

const rows = (change: Partial<MemorySetting>) => attentionRows({ ...MEMORY, ...change });
const atWork = (change: Partial<MemorySetting>) =>
  rowOf("perToken", change, "attention-at-work", "attention");

/** Gradients of queries and of the output of the kernel, of keys and values, and of the input. */
const GRADIENTS = 2 * (18 + 18 + 12 + 10);
// As of activations.test.ts.
const [NORM, MADE, ATTENTION, MLP] = [84, 60, 156, 56];

describe("the backward of attention", () => {
  it.each([
    ["none", -MLP - NORM],
    ["selective", -NORM],
    ["attention", NORM + ATTENTION - MADE],
    ["full", NORM + ATTENTION],
    ["offload", NORM + ATTENTION],
  ] as const)("with checkpointing = %s has gradients, what runs again, less what is used up", (checkpointing, again) => {
    expect(atWork({ checkpointing })).toBe(GRADIENTS + again);
    expect(atWork({ checkpointing, activationFactor: 1.5 })).toBe(1.5 * (GRADIENTS + again));
  });

  it("has a single output to make again where ranks share no sequence", () => {
    const alone = (checkpointing: "none" | "full") => atWork({ checkpointing, largestGroup: 1 });
    expect(alone("full")).toBe(GRADIENTS + NORM + ATTENTION - 2 * 18);
    expect(alone("none")).toBe(atWork({}));
  });

  it("has gradients in the model's precision", () => {
    // A norm of activations.test.ts takes 124.
    expect(atWork({ checkpointing: "selective", precision: "fp32" })).toBe(2 * GRADIENTS - 124);
  });
});

describe("the workspace of an attention kernel", () => {
  const shape = { ...SMALL, head_dim: 5 };
  const workspace = (change: Partial<MemorySetting>) =>
    atWork({ shape, ...change }) - atWork({ shape, ...change, kernel: "none" });

  it("holds heads of values that are filled up to the width of keys, unless the kernel takes them as they are", () => {
    const latent = { ...shape, head_dim: 192, value_dim: 128, heads: 6, kv_heads: 6 };
    const plain = (kernel: "flash2" | "flash3") => 4 * 6 * 192 + (kernel === "flash3" ? 8 : 4) * 6;
    const filled = 2 * 2 * (6 + 6) * 192;
    const of = (kernel: "flash2" | "flash3", change = {}) =>
      atWork({ shape: { ...latent, ...change }, kernel }) -
      atWork({ shape: { ...latent, ...change }, kernel: "none" }) -
      plain(kernel);
    expect(of("flash2")).toBe(filled);
    expect(of("flash3")).toBe(0);
    expect(of("flash3", { value_dim: 160 })).toBe(filled);
    expect(of("flash2", { value_dim: 192 })).toBe(0);
  });

  it("is the fp32 gradient of queries, sums of heads, and gradients of grouped keys and values", () => {
    // Queries are 30 wide, keys and values 20 together.
    expect(workspace({ kernel: "flash2" })).toBe(4 * 30 + 4 * 6 + 2 * 2 * 30);
    expect(workspace({ kernel: "flash3" })).toBe(4 * 30 + 8 * 6 + 4 * 20);
    expect(workspace({ kernel: "flash2", precision: "fp32" })).toBe(4 * 30 + 4 * 6 + 2 * 4 * 30);
    expect(workspace({ kernel: "flash3", precision: "fp32" })).toBe(4 * 30 + 8 * 6 + 4 * 20);
  });

  it("has no such gradients where every head has its own keys and values", () => {
    const own = { shape: { ...shape, kv_heads: 6 } };
    expect(workspace({ ...own, kernel: "flash2" })).toBe(4 * 30 + 4 * 6);
    expect(workspace({ ...own, kernel: "flash3" })).toBe(4 * 30 + 8 * 6);
  });

  it("is modelled whatever activations were measured to take", () => {
    expect(workspace({ kernel: "flash2", activationFactor: 3 })).toBe(264);
  });
});

describe("a sequence that ranks share", () => {
  it("gathers keys and values of a whole group, from two ranks on", () => {
    const gathered = [1, 2, 3].map((largestGroup) => gatheredBytes({ ...MEMORY, largestGroup }));
    expect(gathered).toEqual([0, 2 * 12 * 2, 3 * 12 * 2]);
    expect(gatheredBytes({ ...MEMORY, precision: "fp32" })).toBe(2 * 12 * 4);
  });

  it("keeps them in every layer that does not run again, with its own part of the exchange", () => {
    const kept = (change: Partial<MemorySetting>) => rowOf("perToken", change, "gathered");
    expect(kept({})).toBe(5 * (48 + 12));
    expect(kept({ checkpointing: "selective" })).toBe(5 * (48 + 12));
    expect(kept({ precision: "fp32" })).toBe(5 * (96 + 24));
    expect(kept({ checkpointing: "attention" })).toBeNaN();
    expect(kept({ checkpointing: "full" })).toBeNaN();
    expect(kept({ checkpointing: "offload" })).toBeNaN();
  });

  const atWorkRow = (change: Partial<MemorySetting>) =>
    rows(change).find(({ id, phase }) => id === "gathered" && phase === "attention");

  it("takes one head at least: six of keys and values, two for each of its queries", () => {
    const row = atWorkRow({});
    expect(row?.bytes).toBe(2 * 3 * 2 * (6 + 2 * 3));
    expect(row).not.toHaveProperty("most");
    expect(atWorkRow({ precision: "fp32" })?.bytes).toBe(2 * 3 * 4 * (6 + 2 * 3));
  });

  it("takes a workspace at most where one head needs less", () => {
    const row = atWorkRow({ shape: { ...SMALL, kv_heads: 6 } });
    expect(row).toMatchObject({ bytes: 2 * 2 * 36 * 2, most: MOST_WORKSPACE });
    expect(MOST_WORKSPACE).toBe(4 * 1024 ** 3);
    // 3 key-value heads of 9: four times 3, and 6 and two times 3.
    const even = atWorkRow({ shape: { ...SMALL, heads: 9, kv_heads: 3 } });
    expect(even?.bytes).toBe(2 * 3 * 2 * 12);
    expect(even).not.toHaveProperty("most");
  });

  it("has nothing of this on one rank", () => {
    expect(rows({ largestGroup: 1 }).map(({ id }) => id)).toEqual(["attention-at-work"]);
  });
});

/** Of five layers, so many see four tokens only. */
const narrow = (layers: number, change: Partial<TransformerShape> = {}) => ({
  shape: { ...SMALL, ...change, sliding_window: { tokens: 4, layers } },
});

describe("layers of a window", () => {
  it("keep the rank's own keys and values, as the others keep those of the group", () => {
    const kept = (change: Partial<MemorySetting>) => rowOf("perToken", change, "gathered");
    expect(kept(narrow(2))).toBe(3 * (48 + 12) + 2 * 24);
    expect(kept(narrow(5))).toBe(5 * 24);
    expect(kept({ ...narrow(2), precision: "fp32" })).toBe(3 * (96 + 24) + 2 * 48);
    expect(kept({ ...narrow(5), largestGroup: 8 })).toBe(5 * 24);
  });

  it("keep those of the window before them, however many tokens a rank has", () => {
    const kept = (change: Partial<MemorySetting>) => rowOf("fixed", change, "gathered");
    expect(kept(narrow(2))).toBe(2 * 2 * 4 * 24);
    expect(kept({ ...narrow(5), checkpointing: "selective" })).toBe(5 * 2 * 4 * 24);
    expect(kept({ ...narrow(2), precision: "fp32" })).toBe(2 * 2 * 4 * 48);
  });

  it("keep none of it where they run again, where no sequence is shared, or without a window", () => {
    const none = [
      { ...narrow(2), checkpointing: "full" },
      { ...narrow(2), checkpointing: "attention" },
      { ...narrow(2), largestGroup: 1 },
      {},
    ] as const;
    for (const change of none) {
      expect(windowRows({ ...MEMORY, ...change })).toEqual([]);
      expect(rowOf("fixed", change, "gathered")).toBeNaN();
    }
  });

  it("work on a group's keys and values, unless all layers have a window", () => {
    const atWork = (change: Partial<MemorySetting>) =>
      rows(change).find(({ id, phase }) => id === "gathered" && phase === "attention");
    expect(atWork(narrow(4))).toEqual(atWork({}));
    expect(atWork(narrow(5))?.bytes).toBe(3 * 2 * (6 + 2 * 3));
    expect(atWork(narrow(5))).not.toHaveProperty("most");
    // Of six key-value heads, two layers' keys and values are more than one head's.
    const even = narrow(5, { kv_heads: 6 });
    expect(atWork(even)).toMatchObject({ bytes: 2 * 36 * 2, most: MOST_WORKSPACE });
    expect(atWork({ ...even, largestGroup: 8 })).toEqual(atWork(even));
  });
});

describe("sums in order", () => {
  it("are a copy of the queries' gradient a multiprocessor, over heads, and one of its own", () => {
    const bytes = rowOf("perToken", { orderedSums: true }, "ordered-sums", "attention");
    expect(bytes).toBe(((148 + 6) * 4 * 18) / 6);
    expect(rows({}).map(({ id }) => id)).not.toContain("ordered-sums");
  });
});
