import {
  type CompletionItem,
  type CompletionItemKind,
  InsertTextFormat,
  MarkupKind,
} from "vscode-languageserver";
import type { LineMap } from "../foundation/text.js";
import type { Replaced } from "./cursor.js";
import { spanRange } from "./positions.js";

export interface CompletionOptions {
  /** Whether the client fills in `${1:...}`. */
  readonly snippets: boolean;
  /** Names in a folder, those of folders with a `/` at the end; none where it cannot be read. */
  readonly list: (folder: string) => readonly string[];
}

/** An item without its place in the list and in the text. */
export interface Proposal {
  readonly label: string;
  readonly kind: CompletionItemKind;
  readonly detail?: string;
  readonly doc?: string;
  /** Written instead of the label. */
  readonly text?: string;
  /** Written after it, unless what is there goes on already. */
  readonly rest?: Rest;
  /** So much of what was typed stays: the folder of a path. */
  readonly kept?: number;
}

export interface Rest {
  /** With `$` places, for clients that know them. */
  readonly snippet: string;
  readonly plain: string;
}

/** The n-th of the list as the protocol has it. */
export function itemOf(
  { label, kind, detail, doc, text = label, rest, kept = 0 }: Proposal,
  n: number,
  { replace, followed, glued }: Replaced,
  lines: LineMap,
  { snippets }: CompletionOptions,
): CompletionItem {
  const added = followed ? undefined : rest;
  const range = spanRange(lines, { start: replace.start + kept, end: replace.end });
  return {
    label,
    kind,
    ...(detail === undefined ? {} : { detail }),
    ...(doc === undefined ? {} : { documentation: { kind: MarkupKind.Markdown, value: doc } }),
    sortText: String(n).padStart(4, "0"),
    insertTextFormat: added && snippets ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
    textEdit: {
      range,
      newText: `${glued ? " " : ""}${text}${(snippets ? added?.snippet : added?.plain) ?? ""}`,
    },
  };
}
