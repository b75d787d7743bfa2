import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../scripts/lib.mjs";

/** Lengths of a mix, one a line. */
const lengthsOf = (name, most) =>
  readFileSync(join(ROOT, "bench/scheduling/lengths", `${name}.txt`), "utf8")
    .split("\n")
    .map(Number)
    .filter((length) => length > 0 && length <= most);

const base = { zero: 3, checkpointing: "selective", samples: 128, batches: 2 };

/** Models, machines and mixes that choices are made for. */
export const CASES = [
  {
    ...base,
    name: "Llama-3.1-8B, 8 x H100, ServeGen",
    model: "Llama-3.1-8B",
    gpu: "h100_sxm_80gb",
    nodes: 1,
    gpus: 8,
    lengths: lengthsOf("servegen_m_mid_input", 65536),
  },
  {
    ...base,
    name: "Llama-3.1-8B, 4 x 8 A100, SQuALITY",
    model: "Llama-3.1-8B",
    gpu: "a100_sxm_80gb",
    nodes: 4,
    gpus: 8,
    network: "200 Gbit/s",
    lengths: lengthsOf("squality_sft", 65536),
  },
  {
    ...base,
    name: "Qwen2.5-7B with adapters, 8 x A100, T0",
    model: "Qwen2.5-7B",
    gpu: "a100_sxm_80gb",
    nodes: 1,
    gpus: 8,
    zero: 2,
    lora_rank: 16,
    lengths: lengthsOf("t0_p3_sft", 32768),
  },
  {
    ...base,
    name: "Qwen2.5-7B, 2 x 8 H100, ServeGen long",
    model: "Qwen2.5-7B",
    gpu: "h100_sxm_80gb",
    nodes: 2,
    gpus: 8,
    network: "400 Gbit/s",
    lengths: lengthsOf("servegen_m_mid_input", 131072),
  },
  {
    ...base,
    name: "Llama-3.1-8B, 8 x H20, SQuALITY",
    model: "Llama-3.1-8B",
    gpu: "h20_sxm_96gb",
    nodes: 1,
    gpus: 8,
    checkpointing: "full",
    lengths: lengthsOf("squality_sft", 65536),
  },
];
