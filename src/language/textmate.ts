import { LANGUAGE } from "./language.js";
import type { Block } from "./types.js";
import { UNITS } from "./units.js";
import { VALUE_WORDS } from "./words.js";

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

/** A rule of a TextMate grammar, as far as this one needs them. */
interface Rule {
  readonly comment?: string;
  readonly name?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly captures?: Readonly<Record<string, { readonly name: string }>>;
  readonly patterns?: readonly Rule[];
}

const NAME = "[A-Za-z_][\\w-]*";
const STRING = '"(?:[^"\\\\\\r\\n]|\\\\.)*"';
const NUMBER = "\\d[\\d_]*(?:\\.\\d+)?(?:[eE][-+]?\\d+)?";

/** One of several words, and not a part of a longer name. */
const oneOf = (words: Iterable<string>): string => {
  // The longest first: an alternative that begins another one must not win.
  const sorted = [...new Set(words)].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  return `(?<![\\w-])(${sorted.map(escaped).join("|")})(?![\\w-])`;
};

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");

const scope = (name: string): string => `${name}.skrull`;

function rule(name: string, match: string): Rule {
  return { name: scope(name), match };
}

/** A rule whose groups have scopes, in their order. */
function grouped(match: string, ...names: readonly string[]): Rule {
  const captures = names.map((name, n) => [String(n + 1), { name: scope(name) }] as const);
  return { match, captures: Object.fromEntries(captures) };
}

/** The TextMate grammar that editors colour specs with before, or without, the language server. */
export function textmateGrammar(): unknown {
  return {
    comment: "Generated from src/language by npm run generate. Do not edit.",
    name: "Skrull",
    scopeName: "source.skrull",
    fileTypes: ["skrull"],
    patterns: [...comments(), ...statements(), ...values()],
  };
}

const comments = (): readonly Rule[] => [
  rule("comment.line.number-sign", "#.*$"),
  rule("comment.line.double-slash", "//.*$"),
];

function statements(): readonly Rule[] {
  const header = [
    `(?:\\s+(?!extends\\b)(${NAME}))?(?:\\s*(${STRING}))?`,
    `(?:\\s+(extends)\\s+(${NAME}))?(?=\\s*\\{)`,
  ].join("");
  const parts = [
    "entity.name.type",
    "string.quoted.double",
    "keyword.other.extends",
    "entity.other.inherited-class",
  ];
  const known = oneOf(Object.keys(BLOCKS));
  return [
    grouped("^\\s*(skrull)\\s+(\\d+)\\b", "keyword.control.version", "constant.numeric"),
    grouped(`(?<![\\w-])(import)(?=\\s*")`, "keyword.control.import"),
    grouped(
      `(?<![\\w-])(let)\\s+(${NAME})\\s*(=)`,
      ...["storage.type.constant", "variable.other.constant", "keyword.operator.assignment"],
    ),
    grouped(`(?<![\\w-])(run)${header}`, "storage.type.run", ...parts),
    grouped(`${known}${header}`, "storage.type.block", ...parts),
    grouped(
      `(?<![\\w-])(${NAME})\\s*(=)`,
      "variable.other.property",
      "keyword.operator.assignment",
    ),
  ];
}

function values(): readonly Rule[] {
  const units = Object.values(UNITS).flatMap((table) => Object.keys(table));
  const invalid = '\\\\(?!["\\\\nrt]|u[0-9a-fA-F]{4}|u\\{[0-9a-fA-F]{1,6}\\}).?';
  return [
    {
      name: scope("string.quoted.double"),
      begin: '"',
      end: '"|$',
      patterns: [
        rule("invalid.illegal.escape", invalid),
        rule("constant.character.escape", '\\\\(?:["\\\\nrt]|u[0-9a-fA-F]{4}|u\\{[0-9a-fA-F]+\\})'),
      ],
    },
    grouped(
      `(?<![\\w-])(${NUMBER})[ \\t]*${oneOf(units).replace("(?<![\\w-])", "")}(?!\\s*=)`,
      "constant.numeric",
      "keyword.other.unit",
    ),
    rule("constant.numeric", `(?<![\\w-])${NUMBER}`),
    rule("constant.language", oneOf(["true", "false", "auto"])),
    rule("support.constant", oneOf(VALUE_WORDS)),
    rule("variable.other", NAME),
    rule("keyword.operator.arithmetic", "[-+*/]"),
    rule("punctuation.section.braces", "[{}]"),
    rule("punctuation.section.brackets", "[\\[\\]()]"),
    rule("punctuation.separator", ","),
  ];
}
