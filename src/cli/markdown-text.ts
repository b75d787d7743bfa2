const BOLD = "\u001b[1m";
const PLAIN = "\u001b[0m";

/** A page of ours for a terminal: headings in bold, code indented, nothing of the markup left. */
export function markdownText(markdown: string, colour: boolean): string {
  const shown: string[] = [];
  let code = false;
  for (const line of markdown.split("\n")) {
    if (line.startsWith("```")) code = !code;
    else if (code) shown.push(`    ${line}`.trimEnd());
    else if (!line.startsWith("<!--")) shown.push(prose(line, colour));
  }
  return `${shown.join("\n").trim()}\n`;
}

function prose(line: string, colour: boolean): string {
  const heading = /^#+ (.*)$/.exec(line)?.[1];
  if (heading === undefined) return line.replace(/`([^`]+)`/g, "$1");
  return colour ? `${BOLD}${heading}${PLAIN}` : heading;
}
