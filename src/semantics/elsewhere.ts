import { type Counterpart, counterpartOf } from "../language/other-tools.js";
import type { Properties } from "../language/types.js";
import type { Report } from "./report.js";

/** What is said of a name that does not stand in its place. */
export interface Elsewhere {
  /** What the same body calls it. */
  readonly near?: string;
  readonly help: string;
}

/**
 * Where a name that a body does not know has its place, if another block or another tool knows it.
 *
 * @param path of the body
 */
export function elsewhere(
  name: string,
  path: string,
  properties: Properties,
  report: Report,
): Elsewhere | undefined {
  const found = counterpartOf(name);
  if (!found) return undefined;
  const { at = "" } = found;
  const steps = at.split(".");
  const near = steps.at(-1) ?? "";
  // With a note, it takes other values.
  const here =
    found.note === undefined &&
    at.startsWith(`${path}.`) &&
    (steps.length === 2 || path.includes("."));
  return here && Object.hasOwn(properties, near)
    ? { near, help: `Did you mean ${near}?` }
    : { help: placed(found, report) };
}

/** The same of a name that stands where blocks do. */
export function placed({ at, note }: Counterpart, report: Report): string {
  const way = at === undefined ? [] : [`Here it is ${wayTo(at, report)}.`];
  return [...way, ...(note === undefined ? [] : [note])].join(" ");
}

/** A path of the table as the document would have it: `train { optimizer = adamw { lr = ... } }`. */
function wayTo(path: string, { signs, isYaml }: Report): string {
  const [block, key, tag, inner] = path.split(".");
  if (key === undefined) return `${block}${signs.block} { ... }`;
  const tagged = isYaml ? `{ type: ${tag}, ${inner}: ... }` : `${tag} { ${inner} = ... }`;
  return `${block}${signs.block} { ${key}${signs.key} ${inner === undefined ? "..." : tagged} }`;
}
