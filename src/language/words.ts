import { LANGUAGE } from "./language.js";
import type { Block, Properties, ValueType } from "./types.js";

/** Every bare word that some key takes: `true`, `auto`, enumeration values, tags. */
export const VALUE_WORDS: ReadonlySet<string> = new Set(
  Object.values(LANGUAGE as Readonly<Record<string, Block>>).flatMap(({ properties }) =>
    wordsOf(properties),
  ),
);

function wordsOf(properties: Properties): readonly string[] {
  return Object.values(properties).flatMap(({ type }) => wordsOfType(type));
}

function wordsOfType(type: ValueType): readonly string[] {
  switch (type.kind) {
    case "boolean":
      return ["true", "false"];
    case "integer":
      return type.word === undefined ? [] : [type.word];
    case "enumeration":
      return type.values;
    case "list":
      return wordsOfType(type.item);
    case "tagged":
      return [...Object.keys(type.variants), ...Object.values(type.variants).flatMap(wordsOf)];
    default:
      return [];
  }
}
