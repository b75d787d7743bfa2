import { describe, expect, it } from "vitest";
import { analyze } from "../../src/semantics/analyze.js";

/** What contradicts each other in a spec with these adapters. */
function contradictions(lora: string, { model = "", zero = 2 } = {}): readonly string[] {
  const text = `skrull 1
model { config = "model.json" weights = random ${model} }
cluster { gpus = 2 gpu = cpu }
data { train = ["a.jsonl"] tokenizer = "bytes" max_length = 1K }
parallel { context = 2 zero = ${zero} }
memory { budget = 8 GiB }
schedule { global_batch = 4 }
train { optimizer = adamw { lr = 1e-4 } }
lora { ${lora} }
`;
  return analyze("a.skrull", text).diagnostics.map(({ message }) => message);
}
const of = (first: string, second: string) => [`'${first}' and '${second}' contradict each other`];
const GROWS = { model: "vocabulary = tokenizer" };

describe("adapters", () => {
  it("of experts have neither dropout nor magnitudes", () => {
    const experts = "rank = 4 targets = [attention, experts]";
    expect(contradictions(experts)).toEqual([]);
    const second = "targets = [experts]";
    expect(contradictions(`${experts} dropout = 0.1`)).toEqual(of("dropout", second));
    expect(contradictions(`${experts} dora = true`)).toEqual(of("dora = true", second));
    expect(contradictions("rank = 4 targets = [mlp] dora = true dropout = 0.1")).toEqual([]);
  });

  it("on weights in four bits need these whole, and cannot be merged into them", () => {
    const base = "rank = 4 base = nf4";
    expect(contradictions(base)).toEqual([]);
    expect(contradictions(base, { zero: 3 })).toEqual(of("zero = 3", "base = nf4"));
    expect(contradictions(`${base} merge = true`)).toEqual(of("merge = true", "base = nf4"));
    expect(contradictions("rank = 4 merge = true", { zero: 3 })).toEqual([]);
    expect(contradictions("rank = 0 base = nf4 merge = true", { zero: 3 })).toEqual([]);
  });

  it("train rows of new tokens below ZeRO 3, or ends as a whole", () => {
    const both = of("vocabulary = tokenizer", "zero = 3");
    expect(contradictions("rank = 4", { ...GROWS, zero: 3 })).toEqual(both);
    expect(contradictions("rank = 4", GROWS)).toEqual([]);
    const saved = "rank = 4 modules_to_save = [embedding]";
    expect(contradictions(saved, { ...GROWS, zero: 3 })).toEqual([]);
    expect(contradictions("rank = 0", { ...GROWS, zero: 3 })).toEqual([]);
  });

  it("come from one place", () => {
    expect(contradictions('rank = 4 adapter = folder { path = "a" }')).toEqual([]);
    expect(contradictions('rank = 4 adapter = hub { name = "a/b" }')).toEqual([]);
    expect(contradictions('rank = 4 adapter = folder { path = "../a" }')).toHaveLength(1);
    expect(contradictions("rank = 4 adapter = hub { }")).toHaveLength(1);
  });
});
