import { gpuByName, modelByName } from "../catalogue/names.js";
import { formatBytes, formatCount } from "../foundation/format.js";
import { describePresence, describeType } from "../language/reference-page.js";
import type { Block, Dimension, Property, ValueType } from "../language/types.js";
import { BASE_UNITS, DIMENSION_NAMES, factorOf, UNITS } from "../language/units.js";

/** Markdown of a key: what it takes, what it means, what holds without it. */
export function propertyDoc(name: string, property: Property): string {
  const presence =
    "required" in property
      ? `Required. ${property.required}`
      : `Without it: ${describePresence(property)}.`;
  return `\`${name}\`: ${describeType(property.type)}\n\n${property.doc}\n\n${presence}`;
}

/** What the words mean that begin a statement, or stand in a header. */
export const KEYWORDS = {
  skrull: "The version of the language that this file is written in.",
  import: "Brings the named blocks and constants of another file.",
  let: "A constant.",
  run: "A named run: the file's blocks, some of them overridden.",
  extends: "Takes everything of the block or run of that name, overridden key by key.",
} as const;

/** Markdown of a block. */
export function blockDoc(name: string, block: Block): string {
  const presence =
    block.required !== undefined
      ? `Required. ${block.required}`
      : block.chosenBy === undefined
        ? "May be left out."
        : "";
  const label = block.label === undefined ? "" : `\n\nIts name, in quotes: ${block.label}`;
  return `Block \`${name}\`\n\n${`${block.doc} ${presence}`.trimEnd()}${label}`;
}

/** What a key takes, in a few words. */
export function shortType(type: ValueType): string {
  switch (type.kind) {
    case "quantity":
      return [type.dimension, ...(type.words ?? [])].join(" | ");
    case "enumeration":
      return type.values.join(" | ");
    case "integer":
      return type.word === undefined ? "whole number" : `whole number | ${type.word}`;
    case "list":
      return `list of ${shortType(type.item)}`;
    case "tagged":
      return Object.keys(type.variants).join(" | ");
    default:
      return type.kind;
  }
}

/** Markdown of a unit; `undefined` where there is none of that name. */
export function unitDoc(unit: string): string | undefined {
  for (const dimension of Object.keys(UNITS) as Dimension[]) {
    const factor = factorOf(UNITS[dimension], unit);
    if (factor === undefined) continue;
    return `\`1 ${unit}\` = ${inBase(factor, dimension)}\n\nUnit of ${DIMENSION_NAMES[dimension]}.`;
  }
  return undefined;
}

/** A number with the unit that its dimension is counted in. */
function inBase(value: number, dimension: Dimension): string {
  const number = Number.isInteger(value) ? formatCount(value) : String(value);
  return `${number} ${BASE_UNITS[dimension]}`;
}

/** A resolved value as a spec would write it, with its unit's base where it has one. */
export function valueText(value: unknown, type: ValueType): string {
  if (type.kind === "quantity" && typeof value === "number") {
    const exact = inBase(value, type.dimension);
    return type.dimension === "bytes" ? `${formatBytes(value)} (${exact})` : exact;
  }
  if (Array.isArray(value) && type.kind === "list")
    return `[${value.map((item) => valueText(item, type.item)).join(", ")}]`;
  if (type.kind === "string" || type.kind === "path") return JSON.stringify(value);
  if (type.kind === "tagged") return String((value as { readonly type: string }).type);
  return String(value);
}

/** What the catalogue knows of a GPU. */
export function gpuDoc(name: string): string | undefined {
  const gpu = gpuByName(name);
  if (!gpu) return undefined;
  const { bf16, fp32 } = gpu.peak_flops;
  const peak = bf16 === null ? `${formatFlops(fp32)} in fp32` : `${formatFlops(bf16)} in bf16`;
  return `**${gpu.title}**\n\n${formatBytes(gpu.memory_bytes)}, ${peak} (dense peak)${sourceText(gpu.source)}.`;
}

/** What the catalogue knows of a model. */
export function modelDoc(name: string): string | undefined {
  const model = modelByName(name);
  if (!model) return undefined;
  const { max_position_embeddings: positions } = model.config;
  const reach = typeof positions === "number" ? `, ${formatCount(positions)} positions` : "";
  const weights = model.quantised === undefined ? "" : quantisedText(model.quantised);
  return `**${model.name}**\n\n${formatCount(model.parameters)} parameters${reach}${sourceText(model.source)}.${weights}`;
}

const quantisedText = (how: string): string =>
  `\n\nIts published weights are quantised (${how}) and cannot be trained: name unquantised ones with \`path\`.`;

const formatFlops = (value: number): string =>
  value < 1e12 ? `${formatCount(value / 1e9)} GFLOP/s` : `${formatCount(value / 1e12)} TFLOP/s`;

const sourceText = (source: string): string =>
  source.startsWith("https://") ? `, [source](${source})` : "";
