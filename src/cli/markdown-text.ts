const BOLD = "\u001b[1m";
const PLAIN = "\u001b[0m";

/** Of a line of data in a terminal; its file has it whole. */
const SHOWN_COLUMNS = 100;

/** A page of ours for a terminal: headings in bold, code indented, long data cut, nothing of the markup left. */
export function markdownText(markdown: string, colour: boolean): string {
  const shown: string[] = [];
  let code = false;
  let data = false;
  for (const line of markdown.split("\n")) {
    if (line.startsWith("```")) {
      code = !code;
      data = /^```jsonl?$/.test(line);
    } else if (code) shown.push(`    ${data ? beginningOf(line) : line}`.trimEnd());
    else if (!line.startsWith("<!--")) shown.push(prose(line, colour));
  }
  return `${shown.join("\n").trim()}\n`;
}

const beginningOf = (line: string): string =>
  line.length > SHOWN_COLUMNS ? `${line.slice(0, SHOWN_COLUMNS - 2)} …` : line;

function prose(line: string, colour: boolean): string {
  const heading = /^#+ (.*)$/.exec(line)?.[1];
  if (heading === undefined) return line.replace(/`([^`]+)`/g, "$1");
  return colour ? `${BOLD}${heading}${PLAIN}` : heading;
}
