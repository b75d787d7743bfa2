import type { Format } from "../../foundation/vocabularies.generated.js";
import { FORMAT_COLUMNS } from "./formats.generated.js";

type Columns = typeof FORMAT_COLUMNS;

export interface Column<Name> {
  readonly type: { readonly kind: "string" };
  readonly doc: string;
  readonly since: 1;
  readonly default: Name;
}

const column = (name: string, doc: string): Column<string> => ({
  type: { kind: "string" },
  doc,
  since: 1,
  default: name,
});

const columnsOf = (columns: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(columns).map(([name, doc]) => [name, column(name, doc)]));

/** Layouts of a line of data; the keys of each are its columns, the values the names these have in the file. */
export const formats = Object.fromEntries(
  Object.entries(FORMAT_COLUMNS).map(([name, columns]) => [name, columnsOf(columns)]),
) as {
  readonly [Name in Format]: {
    readonly [Key in keyof Columns[Name]]: Column<Key>;
  };
};
