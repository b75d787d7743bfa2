import type { Entries } from "./entry.js";

/** What keeps a file from being read as a spec. */
export const SYNTAX_CODES = {
  // Syntax
  "invalid-character": {
    severity: "error",
    message: "the character {character} has no meaning here",
    why: "A spec consists of names, values, braces and comments.",
    help: "Remove it, or put text in double quotes.",
  },
  "unterminated-string": {
    severity: "error",
    message: "this string is not closed on its line",
    why: "A string ends at a double quote on the line it began.",
    help: 'Close it with ", and write \\n for a line break inside.',
  },
  "invalid-escape": {
    severity: "error",
    message: "{escape} is not an escape sequence",
    why: "A backslash in a string starts an escape.",
    help: 'Use \\\\ for a backslash; also \\", \\n, \\r, \\t, \\uXXXX and \\u{XXXXXX}.',
  },
  "invalid-number": {
    severity: "error",
    message: "{number} is not a number: {problem}",
    why: "A number has a single, unambiguous spelling.",
    help: "Write decimal digits, such as 1_000, 0.5 or 2e-5.",
  },
  "unexpected-token": {
    severity: "error",
    message: "expected {expected}, found {found}",
    why: "The rest of the block cannot be read with certainty.",
  },
  "nesting-too-deep": {
    severity: "error",
    message: "blocks are nested more than {limit} deep",
    why: "No spec needs it, and it could exhaust the compiler's stack.",
    help: "Look for a bracket that is not closed.",
  },
  "file-too-large": {
    severity: "error",
    message: "the file has {size} characters; a spec has at most {limit}",
    why: "It is probably not a spec.",
    help: "Name a spec; a large one can be split with import.",
  },
  "wrong-encoding": {
    severity: "error",
    message: "the file is not UTF-8 text: {problem}",
    why: "Every spec is UTF-8, so that it reads the same on every machine.",
    help: "Save it as UTF-8 in your editor, or convert it with iconv.",
  },
  "too-many-errors": {
    severity: "error",
    message: "more errors follow; only the first {limit} are shown",
    why: "The file may not be a spec at all.",
    help: "Fix the first ones and look again.",
  },
  // The language line
  "missing-version": {
    severity: "error",
    message: "the spec does not say which version of the language it is written in",
    why: "The language grows; the version keeps a spec's meaning fixed.",
    help: "Begin the file with the line: skrull 1",
  },
  "unsupported-version": {
    severity: "error",
    message: "this compiler does not know version {found} of the language",
    why: "Versions are whole numbers, and a compiler knows those up to its own.",
    help: "Write skrull 1, or install a newer compiler.",
  },
} as const satisfies Entries;
