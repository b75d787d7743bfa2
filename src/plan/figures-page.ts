import { GPUS } from "../catalogue/data.generated.js";
import type { Gpu } from "../catalogue/gpu.js";
import { MACHINE_CONSTANTS } from "../cost/machine-constants.js";
import { bandLines } from "./band.js";

/** docs/reference/figures.md: what predictions are made from, with the source of every figure. */
export function figuresPage(): string {
  return `${[
    "<!-- Generated from src/cost/machine-constants.ts and catalogue/gpus by npm run generate. Do not edit. -->",
    "",
    "# Figures that predictions rest on",
    "",
    "[Predictions](../predictions.md) says how they are used. *Measured* figures were published by somebody who measured just that;",
    "*fitted* ones make `npm run bench:truth` come out best; *assumed* ones are neither. A profile of your machine replaces",
    "those that it measures.",
    "",
    "## On every machine",
    "",
    "| constant | value | | what | source |",
    "|---|---|---|---|---|",
    ...constantRows(),
    "",
    "## By GPU",
    "",
    "TFLOP/s are of the data sheet, dense, in bf16 (fp32 where there is no bf16); shares are of those.",
    "",
    "| GPU | memory | TFLOP/s | GB/s of memory | to the host | matrix products | attention (FlashAttention-2, -3) | Adam on the host |",
    "|---|--:|--:|--:|--:|--:|--:|--:|",
    ...Object.values(GPUS).map(gpuRow),
    "",
    ...Object.values(GPUS).flatMap(sourceLines),
    "",
    "## Error bands",
    "",
    "The error within which four fifths of the published runs of a kind lie:",
    "",
    ...bandLines(),
  ].join("\n")}\n`;
}

const constantRows = (): readonly string[] =>
  Object.entries(MACHINE_CONSTANTS).map(
    ([name, { value, unit, from, what, source }]) =>
      `| \`${name}\` | ${value} ${unit} | ${from} | ${what} | ${source} |`,
  );

function gpuRow(gpu: Gpu): string {
  const peak = gpu.peak_flops.bf16 ?? gpu.peak_flops.fp32;
  const { flash2, flash3 } = gpu.attention_efficiency;
  const columns = [
    `\`${gpu.name}\``,
    `${(gpu.memory_bytes / 2 ** 30).toFixed(1)} GiB`,
    (peak / 1e12).toPrecision(3),
    gpu.memory_bandwidth === null ? "" : (gpu.memory_bandwidth / 1e9).toFixed(0),
    gpu.host_link === null ? "" : `${(gpu.host_link / 1e9).toFixed(0)} GB/s`,
    gpu.matmul_efficiency.toString(),
    flash3 === undefined ? `${flash2}` : `${flash2}, ${flash3}`,
    gpu.host_adam_parameters === null ? "" : `${(gpu.host_adam_parameters / 1e9).toFixed(1)}e9/s`,
  ];
  return `| ${columns.join(" | ")} |`;
}

function sourceLines(gpu: Gpu): readonly string[] {
  const sources = Object.entries({ ...gpu.sources, collectives: gpu.collectives.source });
  return [
    `**${gpu.title}** (${gpu.source}):`,
    ...sources.map(([figure, source]) => `- ${figure.replaceAll("_", " ")}: ${source}`),
    "",
  ];
}
