// Railroad diagrams of the grammar, from the parser's own account of itself; used by generate.mjs.
import railroad from "@prantlf/railroad-diagrams";

const { Choice, Diagram, NonTerminal, OneOrMore, Optional, Sequence, Terminal, ZeroOrMore } =
  railroad;

/** On a light or a dark page the diagrams are the same: they bring their own ground. */
const STYLE = `
svg { background: #fff; }
path { stroke: #444; stroke-width: 2; fill: none; }
text { font: bold 14px monospace; text-anchor: middle; fill: #111; }
rect { stroke: #444; stroke-width: 2; fill: #e3f0ff; }
g.terminal rect { fill: #e9f7e4; }
`;

/**
 * File in grammar/ to content: an SVG of every rule, and a page that shows them with their EBNF.
 *
 * @param words the contextual word that a rule begins with, by its name
 */
export function railroadFiles(productions, ebnf, words) {
  const diagrams = productions.map((rule) => [
    `diagrams/${rule.name}.svg`,
    svgOf(withWord(rule, words[rule.name])),
  ]);
  return { ...Object.fromEntries(diagrams), "README.md": page(productions, ebnf) };
}

/** A rule that begins with a contextual word, shown as it is written. */
function withWord(rule, word) {
  if (word === undefined) return rule;
  const [first, ...rest] = rule.definition;
  return { ...rule, definition: [{ ...first, label: `'${word}'` }, ...rest] };
}

function svgOf(rule) {
  const diagram = new Diagram(...rule.definition.map(drawn));
  const svg = diagram.format(12).toStandalone(STYLE);
  return `${svg.replace(">", `>\n<title>${rule.name}</title>`)}\n`;
}

function drawn(node) {
  switch (node.type) {
    case "NonTerminal":
      return new NonTerminal(node.nonTerminalName ?? node.name);
    case "Terminal":
      return terminal(node);
    case "Option":
      return new Optional(sequence(node));
    case "Repetition":
      return new ZeroOrMore(sequence(node));
    case "RepetitionMandatory":
      return new OneOrMore(sequence(node));
    case "Alternation":
      return new Choice(0, ...node.definition.map(sequence));
    default:
      return sequence(node);
  }
}

/** What is written as it stands, or a token with a rule of its own in the EBNF. */
function terminal({ name, label }) {
  const [, literal] = /^'(.*)'$/.exec(label ?? "") ?? [];
  return literal === undefined ? new NonTerminal(name) : new Terminal(literal);
}

function sequence({ definition }) {
  const parts = definition.map(drawn);
  return parts.length === 1 ? parts[0] : new Sequence(...parts);
}

function page(productions, ebnf) {
  const rules = productions.map(
    ({ name }) =>
      `## ${name}\n\n![${name}](diagrams/${name}.svg)\n\n\`\`\`ebnf\n${lineOf(ebnf, name)}\n\`\`\`\n`,
  );
  return `<!-- Generated from src/syntax/parser.ts by npm run generate. Do not edit. -->

# The grammar

Green is written as it stands; blue is another rule, or a token that [skrull.ebnf](skrull.ebnf) describes.

${rules.join("\n")}`;
}

function lineOf(ebnf, name) {
  const line = ebnf.split("\n").find((each) => each.split(" ")[0] === name);
  if (line === undefined) throw new Error(`the EBNF has no rule '${name}'`);
  return line;
}
