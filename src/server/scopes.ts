import { LANGUAGE } from "../language/language.js";
import type { Block, Properties, Property } from "../language/types.js";

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

/** Braces, or the file itself: where members stand. */
export interface Scope {
  readonly kind: "file" | "run" | "body";
  /** Of the run, or of a named block. */
  readonly name?: string;
  /** The language's block whose keys stand here. */
  readonly block?: string;
  /** Path of the values here: `train`, `train.optimizer`. */
  readonly path: string;
  /** Keys that may stand here; absent where the block is unknown. */
  readonly properties?: Properties;
  readonly parent?: Scope;
  /** Keys and unnamed blocks that are written here, and `skrull`. */
  readonly members: Set<string>;
}

/** The property of a value, if the language knows it. */
export function propertyOf(scope: Scope, key: string | undefined): Property | undefined {
  const { properties } = scope;
  return key !== undefined && properties && Object.hasOwn(properties, key)
    ? properties[key]
    : undefined;
}

export const fileScope = (): Scope => ({ kind: "file", path: "", members: new Set() });

export const runScope = (parent: Scope, name: string | undefined): Scope => ({
  kind: "run",
  path: "",
  parent,
  members: new Set(),
  ...(name === undefined ? {} : { name }),
});

export function blockScope(parent: Scope, block: string, name: string | undefined): Scope {
  const known = Object.hasOwn(BLOCKS, block) ? BLOCKS[block] : undefined;
  if (known && name === undefined) parent.members.add(block);
  return {
    kind: "body",
    block,
    path: block,
    parent,
    members: new Set(),
    ...(known ? { properties: known.properties } : {}),
    ...(name === undefined ? {} : { name }),
  };
}

/** `let fast = sgd { ... }`: nobody says here which key it is for. */
export function constantScope(parent: Scope, name: string, tag: string): Scope {
  const properties = VARIANTS.get(tag);
  return {
    kind: "body",
    name,
    path: `let ${name}`,
    parent,
    members: new Set(),
    ...(properties ? { properties } : {}),
  };
}

/** Keys of every choice that some key takes; those of two choices of one name together. */
const VARIANTS: ReadonlyMap<string, Properties> = variantsOf(BLOCKS);

function variantsOf(blocks: Readonly<Record<string, Block>>): ReadonlyMap<string, Properties> {
  const found = new Map<string, Properties>();
  for (const { properties } of Object.values(blocks)) {
    for (const { type } of Object.values(properties)) {
      if (type.kind !== "tagged") continue;
      for (const [tag, keys] of Object.entries(type.variants))
        found.set(tag, { ...found.get(tag), ...keys });
    }
  }
  return found;
}

export function variantScope(parent: Scope, key: string, tag: string): Scope {
  const type = propertyOf(parent, key)?.type;
  const variants = type?.kind === "tagged" ? type.variants : {};
  const properties = Object.hasOwn(variants, tag) ? variants[tag] : undefined;
  return {
    kind: "body",
    path: `${parent.path}.${key}`,
    parent,
    members: new Set(),
    ...(parent.block === undefined ? {} : { block: parent.block }),
    ...(properties ? { properties } : {}),
  };
}
