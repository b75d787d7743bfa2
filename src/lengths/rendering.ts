import type { ChatTemplate } from "../catalogue/template.js";
import type { Markers, Rewritten } from "../foundation/vocabularies.generated.js";

/** How a row is laid out: `auto`, or a layout with the names of its columns. */
export interface SampleFormat {
  readonly type: string;
  readonly [column: string]: string;
}

/** What turns a conversation into text. */
export type TemplateSource =
  /** The tokenizer's own; ChatML where it has none. */
  | { readonly type: "auto" }
  | { readonly type: "jinja"; readonly text: string }
  | ({ readonly type: "declared" } & ChatTemplate);

/** All that decides a sample's tokens besides its row and the tokenizer; the engine takes it as it is. */
export interface Rendering {
  readonly format: SampleFormat;
  /** Columns that have unusual names, and these. */
  readonly columns: Readonly<Record<string, string>>;
  /** What unusual names of who speaks stand for. */
  readonly roles: Readonly<Record<string, string>>;
  readonly ignore: readonly string[];
  readonly template: TemplateSource;
  readonly arguments: Readonly<Record<string, string | number | boolean>>;
  /** Today, as templates are told. */
  readonly date: string;
  /** Around samples that are no conversations; `null` is what the tokenizer has. */
  readonly begin: string | null;
  readonly end: string | null;
  readonly markers: Markers;
  readonly train_newline: boolean;
  readonly rewritten: Rewritten;
}
