import { describe, expect, it } from "vitest";
import {
  type Adaptable,
  adaptableOf,
  loraShape,
  type Matrix,
  matricesOf,
} from "../../src/cost/adapters.js";
import { SMALL, SPARSE, WHOLE } from "./small-shape.js";

const adapters = (
  targets: readonly Adaptable[],
  { shape = SMALL, matrices = matricesOf(shape), dora = false } = {},
) => loraShape({ shape, matrices }, { rank: 3, targets, dora, modules_to_save: [], ...WHOLE });

const NONE = { head: false, rows: false, parameters: 0 };
const ATTENTION = ["attention", "q_proj", "k_proj", "v_proj", "o_proj"];
const GATED = ["gate_proj", "up_proj", "down_proj"];

describe("adapters", () => {
  // Queries are 18 wide, keys and values 6 each, the model 10 and its MLP 7; there are 5 layers.
  it.each([
    ["q_proj", 28, 1, 0],
    ["k_proj", 16, 1, 0],
    ["v_proj", 16, 1, 0],
    ["o_proj", 28, 1, 0],
    ["gate_proj", 17, 0, 1],
    ["up_proj", 17, 0, 1],
    ["down_proj", 17, 0, 1],
    ["attention", 88, 4, 0],
    ["mlp", 51, 0, 3],
    ["all-linear", 139, 4, 3],
  ] as const)("of %s are as wide as its input and output", (target, widths, attention, mlp) => {
    expect(adapters([target])).toEqual({
      ...{
        rank: 3,
        widths,
        matrices: { attention, mlp },
        dora: null,
        stacked: null,
        ends: NONE,
        fourBit: null,
      },
      parameters: 5 * 3 * widths,
    });
  });

  it("add up over matrices, each once", () => {
    const lora = adapters(["q_proj", "down_proj", "k_proj", "up_proj", "q_proj"]);
    expect(lora).toMatchObject({ widths: 78, matrices: { attention: 2, mlp: 2 } });
    expect(adapters(["q_proj", "attention", "mlp"])).toEqual(adapters(["all-linear"]));
  });

  it("are for matrices that a layer has", () => {
    const known = (shape: typeof SMALL) => adaptableOf(matricesOf(shape));
    const [first = "", ...names] = ATTENTION;
    expect(known(SMALL)).toEqual([first, "mlp", "all-linear", ...names, ...GATED]);
    const plain = ["c_fc", "c_proj"];
    expect(known({ ...SMALL, gated_mlp: false })).toEqual([
      ...[first, "mlp", "all-linear", ...names, ...plain],
    ]);
    // Beside experts, peft takes the names of other MLPs for theirs.
    expect(known(SPARSE)).toEqual([first, "all-linear", "experts", ...names]);
  });

  it("of experts are added to their weights", () => {
    // Four layers of 6 experts: 10 to 2 x 3, and 3 to 10.
    const lora = adapters(["experts"], { shape: SPARSE });
    expect(lora).toMatchObject({ widths: 0, matrices: { attention: 0, mlp: 0 } });
    expect(lora.parameters).toBe(4 * 6 * 3 * (16 + 13));
    expect(lora.stacked).toEqual({ layers: 4, elements: 6 * (60 + 30), sizes: [360, 180] });
  });

  it("of DoRA have a magnitude for every output", () => {
    const lora = adapters(["q_proj", "down_proj"], { dora: true });
    expect(lora.parameters).toBe(5 * (3 * (28 + 17) + 18 + 10));
    expect(lora.dora?.outputs).toEqual({ attention: 18, mlp: 10 });
  });

  it("are of the sizes that a model tells, whatever its names", () => {
    const own = (
      name: string,
      kind: Matrix["kind"],
      inputs: number,
      outputs: number,
      count = 5,
    ) => ({
      ...{ name, kind, inputs, outputs, count },
    });
    const matrices: readonly Matrix[] = [
      own("qkv_proj", "attention", 10, 30),
      own("o_proj", "attention", 18, 10),
      own("gate_up_proj", "mlp", 10, 14, 2),
      own("gate_up_proj", "mlp", 10, 8, 3),
      own("gate", "router", 10, 6),
    ];
    expect(adaptableOf(matrices)).toEqual([
      ...["attention", "mlp", "all-linear", "o_proj", "qkv_proj", "gate_up_proj"],
    ]);
    const lora = adapters(["attention", "gate_up_proj"], { matrices });
    expect(lora.parameters).toBe(3 * (5 * 40 + 5 * 28 + 2 * 24 + 3 * 18));
    expect(lora.widths * 5 * 3).toBeCloseTo(lora.parameters, 9);
    expect(lora.matrices).toEqual({ attention: 2, mlp: 1 });
  });

  // The vocabulary has 11 tokens of 10.
  it.each([
    [false, ["embedding"], { head: false, rows: false, parameters: 110 }],
    [false, ["head", "embedding", "head"], { head: true, rows: false, parameters: 220 }],
    [true, ["embedding"], { head: true, rows: false, parameters: 110 }],
    [false, [], { head: true, rows: true, parameters: 2 * 3 * 10 }],
    [true, [], { head: true, rows: true, parameters: 3 * 10 }],
  ] as const)("train ends, or rows of new tokens (tied: %s): %j", (tied, modules_to_save, ends) => {
    const shape = { ...SMALL, tied_embeddings: tied };
    const model = { shape, matrices: matricesOf(shape), resized: { stored: 7, tokens: 10 } };
    const choice = {
      rank: 3,
      targets: ["q_proj"],
      dora: false,
      modules_to_save,
      ...WHOLE,
    } as const;
    const found = loraShape(model, choice);
    expect(found.ends).toEqual(ends);
    expect(found.parameters).toBe(5 * 3 * 28 + ends.parameters);
  });
});
