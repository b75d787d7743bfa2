import { defineRule } from "../../rule.js";

const rate = (doc: string, usual: number) => ({ doc, default: usual, min: 0, max: 10 });

export default defineRule({
  code: "learning-rate-unusual",
  needs: "spec",
  options: {
    most: rate("Rates for pretrained weights above this are reported.", 5e-4),
    adapters_least: rate("Rates for adapters below this are reported.", 2e-5),
    adapters_most: rate("Rates for adapters above this are reported.", 5e-3),
  },
  check({ spec }, report, limits) {
    const { lr, type } = spec.train.optimizer;
    const adapters = spec.lora.rank > 0;
    if (!type.startsWith("adamw") || (!adapters && spec.model.weights === "random")) return;
    const fault = adapters ? faultOfAdapters(lr, limits) : faultOfWeights(lr, limits.most);
    if (!fault) return;
    const trained = adapters ? "adapters" : "pretrained weights";
    const help = `${fault.unusual === "low" ? "Raise" : "Lower"} it, unless this rate has proved itself.`;
    report.at("train.optimizer.lr", { rate: lr.toExponential(), trained, ...fault }, { help });
  },
});

type Limits = Readonly<Record<"adapters_least" | "adapters_most", number>>;

interface Fault {
  readonly unusual: "low" | "high";
  readonly reason: string;
}

function faultOfAdapters(
  lr: number,
  { adapters_least: least, adapters_most: most }: Limits,
): Fault | undefined {
  if (lr < least) {
    const reason =
      "Adapters begin at zero and are usually trained at 1e-4 to 5e-4, ten times the rate of a whole model.";
    return { unusual: "low", reason };
  }
  if (lr <= most) return undefined;
  return {
    unusual: "high",
    reason: `Above ${most.toExponential()}, low-rank training seldom converges.`,
  };
}

function faultOfWeights(lr: number, most: number): Fault | undefined {
  if (lr <= most) return undefined;
  const reason =
    "Whole models are fine-tuned at 1e-6 to 1e-4; higher rates make them forget what they knew.";
  return { unusual: "high", reason };
}
