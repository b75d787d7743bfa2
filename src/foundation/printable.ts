/** Text from outside, safe to show: control characters of a hostile name never reach the terminal. */
export function printable(text: string): string {
  return text.replace(INVISIBLE, "\uFFFD");
}

/** {@link printable} text of several lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
