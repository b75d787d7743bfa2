/** JSON as every document of ours has it: two spaces, keys in the order given, a final newline. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
