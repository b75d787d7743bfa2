import { LANGUAGE } from "./language.js";
import { type Block, type Properties, type ValueType, wordsOf } from "./types.js";

/** Every bare word that some key takes: `true`, `auto`, enumeration values, tags. */
export const VALUE_WORDS: ReadonlySet<string> = new Set(
  Object.values(LANGUAGE as Readonly<Record<string, Block>>).flatMap(({ properties }) =>
    wordsInside(properties),
  ),
);

function wordsInside(properties: Properties): readonly string[] {
  return Object.values(properties).flatMap(({ type }) => [...wordsOf(type), ...below(type)]);
}

function below(type: ValueType): readonly string[] {
  if (type.kind === "list") return wordsOf(type.item);
  return type.kind === "tagged" ? Object.values(type.variants).flatMap(wordsInside) : [];
}
