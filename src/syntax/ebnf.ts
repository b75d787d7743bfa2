import type { ISerializedGast } from "chevrotain";
import { SPEC_PARSER } from "./parser.js";

interface Production {
  readonly type: ISerializedGast["type"];
  readonly name?: string;
  readonly label?: string;
  readonly nonTerminalName?: string;
  readonly pattern?: string;
  readonly definition?: readonly Production[];
}

const TERMINALS = `
Text          = '"', { character | escape }, '"' ;
escape        = "\\\\", ( '"' | "\\\\" | "n" | "r" | "t" | "u", 4 * hex | "u{", hex, { hex }, "}" ) ;
NumberLiteral = ( "0" | digits ), [ ".", digits ], [ ( "e" | "E" ), [ "-" | "+" ], digits ] ;
digits        = digit, { [ "_" ], digit } ;
Rate          = letter, { letter }, "/s" ;
Name          = ( letter | "_" ), { letter | digit | "_" | "-" } ;
(* A number of several digits does not begin with 0. Comments run from # or // to the end of the line. White space separates, and means nothing else.
   After a number, a name on the same line is its unit, unless it begins the next entry or block.
   The words skrull, import, let and extends are names wherever these rules do not have them. *)
`;

/** Words that mean something only where their rule begins; elsewhere they are names. */
export const CONTEXTUAL_WORDS: Readonly<Record<string, string>> = {
  version: "skrull",
  import: "import",
  constant: "let",
  base: "extends",
};

/** The grammar in EBNF (ISO 14977), from the parser itself. */
export function grammarEbnf(): string {
  const rules = SPEC_PARSER.getSerializedGastProductions() as readonly Production[];
  const lines = rules.map(
    ({ name = "", definition }) => `${name.padEnd(13)} = ${ruleBody(name, definition)} ;`,
  );
  return `(* Generated from src/syntax/parser.ts by npm run generate. Do not edit. *)\n\n${lines.join("\n")}\n${TERMINALS}`;
}

function ruleBody(name: string, definition: readonly Production[] | undefined): string {
  const word = CONTEXTUAL_WORDS[name];
  return word === undefined
    ? sequence(definition)
    : sequence(definition).replace("Name", `"${word}"`);
}

function sequence(definition: readonly Production[] = []): string {
  return definition.map(element).join(", ");
}

function element(node: Production): string {
  switch (node.type) {
    case "NonTerminal":
      return node.nonTerminalName ?? node.name ?? "";
    case "Terminal":
      return node.label?.startsWith("'") ? node.label.replaceAll("'", '"') : (node.name ?? "");
    case "Option":
      return `[ ${sequence(node.definition)} ]`;
    case "Repetition":
      return `{ ${sequence(node.definition)} }`;
    case "Alternation":
      return `( ${(node.definition ?? []).map((alternative) => sequence(alternative.definition)).join(" | ")} )`;
    default:
      return sequence(node.definition);
  }
}
