/** Control, format and separator characters: invisible, or able to end a line or reorder what a reader sees. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

function escapeForPython(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return point > 0xffff
    ? `\\U${point.toString(16).padStart(8, "0")}`
    : `\\u${point.toString(16).padStart(4, "0")}`;
}

function pythonString(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return `"${escaped.replace(INVISIBLE, escapeForPython)}"`;
}

function pythonNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 53) return String(value);
  if (!Number.isFinite(value)) throw new RangeError(`no Python literal for ${value}`);
  return JSON.stringify(value);
}

/**
 * A Python literal that evaluates to the JSON value, whatever its strings hold.
 *
 * @param indent spaces before a nested entry; objects and lists of objects are broken over lines
 * @throws RangeError for NaN and infinities
 */
export function pythonLiteral(value: unknown, indent = 0): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return pythonNumber(value);
  if (typeof value === "string") return pythonString(value);
  const nested = (item: unknown) => pythonLiteral(item, indent + 4);
  if (Array.isArray(value)) return `[${value.map(nested).join(", ")}]`;
  const entries = Object.entries(value as object);
  if (entries.length === 0) return "{}";
  const pad = " ".repeat(indent + 4);
  const lines = entries.map(([key, item]) => `${pad}${pythonString(key)}: ${nested(item)},\n`);
  return `{\n${lines.join("")}${" ".repeat(indent)}}`;
}

/** One word of a POSIX shell command, whatever the text holds. */
export function shellWord(text: string): string {
  if (/^[A-Za-z0-9_./:=@%+-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}
