import type { Fix } from "../diagnostics/diagnostic.js";
import { withSpaceAround } from "../foundation/text.js";
import { LANGUAGE } from "../language/language.js";
import type { Language } from "../language/types.js";
import type { BlockNode, BodyNode, EntryNode, Span } from "../syntax/tree.js";
import { isReference, runsOf } from "./compose.js";
import { isYamlPath, type SourceDocument } from "./document.js";

/** Blocks with keys and what to write for them; `null` takes a key out. */
export type Values = Readonly<Record<string, Readonly<Record<string, string | number | null>>>>;

/** Edits of a file; or what keeps a value from being written there. */
export type SetValues =
  | { readonly ok: true; readonly edits: Fix["edits"] }
  | { readonly ok: false; readonly problem: string };

interface Edit extends Span {
  readonly text: string;
}

class Unwritable extends Error {}

/**
 * Edits with which a spec says these values, and as little else changes as can be: values are replaced where they
 * stand, keys are added to their block, and blocks to the end of the file. A run of several says them in its own body,
 * so that the others stay as they are; a block that the file only refers to is extended.
 */
export function setValues(
  document: SourceDocument,
  run: string | undefined,
  values: Values,
): SetValues {
  const { tree, lines, file } = document;
  const body = run === undefined ? tree : runsOf(tree).find((one) => one.given?.text === run)?.body;
  if (!body) return { ok: false, problem: `the file has no run ${run}` };
  const writer = new Writer(document, body, isYamlPath(file));
  try {
    const edits = writer.edits(values);
    return {
      ok: true,
      edits: edits.map(({ start, end, text }) => ({
        range: lines.range(start, end),
        new_text: text,
      })),
    };
  } catch (error) {
    if (!(error instanceof Unwritable)) throw error;
    return { ok: false, problem: error.message };
  }
}

class Writer {
  readonly #text: string;
  readonly #newLine: string;

  constructor(
    document: SourceDocument,
    private readonly body: Omit<BodyNode, "start" | "end"> & Partial<Span>,
    private readonly yaml: boolean,
  ) {
    this.#text = document.text;
    this.#newLine = document.text.includes("\r\n") ? "\r\n" : "\n";
  }

  edits(values: Values): readonly Edit[] {
    const added: string[] = [];
    const edits = Object.entries(values).flatMap(([block, keys]) => {
      const node = this.body.blocks.find(({ name, given }) => name.text === block && !given);
      if (node) return this.#inBlock(node, keys);
      const reference = this.body.entries.find(
        (entry) => entry.key.text === block && isReference(entry),
      );
      const written = this.#entries(block, keys, {}).join("  ");
      if (!reference) {
        added.push(`${block} { ${written} }`);
        return [];
      }
      this.#refuseYaml(block, written);
      const named = this.#text.slice(reference.value?.start, reference.value?.end);
      const text = `${block} extends ${named} { ${written} }`;
      return [{ start: reference.start, end: reference.end, text }];
    });
    if (added.length === 0) return edits;
    this.#refuseYaml(added.join(" and "), "");
    return [...edits, this.#atEnd(added)];
  }

  #inBlock(node: BlockNode, keys: Values[string]): readonly Edit[] {
    const block = node.name.text;
    const there: Record<string, EntryNode> = {};
    for (const key of Object.keys(keys)) {
      const entry = node.body.entries.find(({ key: own }) =>
        namesOf(block, key).includes(own.text),
      );
      if (entry) there[key] = entry;
    }
    const changed = Object.entries(there).map(([key, entry]): Edit => {
      const value = keys[key];
      if (value !== null && entry.value)
        return { start: entry.value.start, end: entry.value.end, text: String(value) };
      if (this.yaml) throw new Unwritable(`${key} cannot be taken out of YAML`);
      return { ...withSpaceAround(this.#text, entry), text: "" };
    });
    const added = this.#entries(block, keys, there);
    if (added.length === 0) return changed;
    this.#refuseYaml(block, added.join("  "));
    return [...changed, this.#inBraces(node.body, added)];
  }

  /** The entries of keys that are not there yet. */
  #entries(block: string, keys: Values[string], there: Readonly<Record<string, unknown>>) {
    return Object.entries(keys).flatMap(([key, value]) => {
      if (key in there) return [];
      if (value === null)
        throw new Unwritable(`${block}.${key} is set elsewhere and cannot be taken back here`);
      return [`${key} = ${value}`];
    });
  }

  /** Statements at the end of a body in braces: on lines of their own where its closing brace has one. */
  #inBraces(body: Span, statements: readonly string[]): Edit {
    const close = body.end - 1;
    const lineStart = this.#text.lastIndexOf("\n", close - 1) + 1;
    const before = this.#text.slice(lineStart, close);
    if (before.trim() !== "") {
      const space = /\s$/.test(before) ? "" : " ";
      return { start: close, end: close, text: `${space}${statements.join("  ")} ` };
    }
    const text = statements.map((one) => `${before}  ${one}${this.#newLine}`).join("");
    return { start: lineStart, end: lineStart, text };
  }

  /** Blocks at the end of the file, or of the run's body. */
  #atEnd(blocks: readonly string[]): Edit {
    const { start, end } = this.body;
    if ("kind" in this.body || start === undefined || end === undefined) {
      const last = this.#text.length;
      const apart = this.#text === "" || this.#text.endsWith("\n") ? "" : this.#newLine;
      const text = blocks.map((block) => `${this.#newLine}${block}${this.#newLine}`).join("");
      return { start: last, end: last, text: `${apart}${text}` };
    }
    return this.#inBraces({ start, end }, blocks);
  }

  #refuseYaml(what: string, more: string): void {
    const added = more === "" ? what : `${more} of ${what}`;
    if (this.yaml) throw new Unwritable(`${added} cannot be added to YAML or JSON`);
  }
}

/** A key, and the name that it had before. */
function namesOf(block: string, key: string): readonly string[] {
  const { formerly } = (LANGUAGE as Language)[block]?.properties[key] ?? {};
  return formerly === undefined ? [key] : [key, formerly];
}
