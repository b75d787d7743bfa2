const SIMPLE: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  n: "\n",
  r: "\r",
  t: "\t",
};
const ESCAPE = /\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|(.?))/gsu;

/**
 * Text of a string literal's inside.
 *
 * @param onProblem told each invalid escape sequence and its offset; it stays as written
 */
export function resolveEscapes(
  inside: string,
  onProblem: (sequence: string, offset: number) => void,
): string {
  return inside.replace(
    ESCAPE,
    (sequence, long?: string, short?: string, simple?: string, offset = 0) => {
      const code = long ?? short;
      const text = code === undefined ? simpleEscape(simple) : codePoint(Number.parseInt(code, 16));
      if (text === undefined) onProblem(sequence, offset);
      return text ?? sequence;
    },
  );
}

function simpleEscape(character: string | undefined): string | undefined {
  return character !== undefined && Object.hasOwn(SIMPLE, character)
    ? SIMPLE[character]
    : undefined;
}

function codePoint(point: number): string | undefined {
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  return point <= 0x10ffff && !surrogate ? String.fromCodePoint(point) : undefined;
}
