/** Text as it is, in Markdown: nothing in it is read as markup. */
export function codeSpan(text: string): string {
  const fence = "`".repeat(longestRun(text) + 1);
  const apart = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return fence + apart + text.replaceAll(/[\r\n]+/g, " ") + apart + fence;
}

/** Lines of a spec in Markdown. */
export function codeBlock(text: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}skrull\n${text}\n${fence}`;
}

const longestRun = (text: string): number =>
  Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
