/** What a quantity counts; decides its units. */
export type Dimension = "tokens" | "bytes" | "bandwidth" | "compute" | "time";

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  /** The minimum itself is excluded. */
  readonly above?: boolean;
}

export type ValueType =
  | { readonly kind: "string" }
  | { readonly kind: "path"; readonly inside: boolean; readonly word?: string }
  | { readonly kind: "boolean" }
  /** A string, a number, `true` or `false`: what another program is given as it is. */
  | { readonly kind: "scalar" }
  | { readonly kind: "integer"; readonly range: NumberRange; readonly word?: string }
  | { readonly kind: "number"; readonly range: NumberRange }
  | {
      readonly kind: "quantity";
      readonly dimension: Dimension;
      readonly range: NumberRange;
      readonly words?: readonly string[];
    }
  | {
      readonly kind: "enumeration";
      readonly values: readonly string[];
      /** The block whose names are values too. */
      readonly declared?: string;
      /** What a word that is no value may be another spelling of; else the nearest ones. */
      readonly meant?: (word: string) => readonly string[];
    }
  | {
      readonly kind: "list";
      readonly item: ValueType;
      readonly length?: number;
      readonly nonEmpty?: boolean;
    }
  | {
      readonly kind: "tagged";
      readonly variants: Readonly<Record<string, Properties>>;
      /** What keys of the user's own are, in the variants that take such; their values are `others`. */
      readonly open?: Readonly<Record<string, Property>>;
    };

/** The bare words that are values of a type. */
export function wordsOf(type: ValueType): readonly string[] {
  switch (type.kind) {
    case "enumeration":
      return type.values;
    case "boolean":
    case "scalar":
      return ["true", "false"];
    case "tagged":
      return Object.keys(type.variants);
    case "integer":
      return type.word === undefined ? [] : [type.word];
    case "quantity":
      return type.words ?? [];
    default:
      return [];
  }
}

/** How a property behaves where the spec does not set it. */
export type Presence =
  | { readonly required: string }
  | { readonly default: unknown }
  | { readonly optional: string };

/** One key: its type, documentation, and the language version it came with. */
export type Property = {
  readonly type: ValueType;
  readonly doc: string;
  readonly since: 1;
  /** The name it had before: still read, with a warning. */
  readonly formerly?: string;
} & Presence;

/** What a property is where the spec does not set it. */
export const defaultOf = (property: Property): unknown =>
  "default" in property ? property.default : undefined;

export type Properties = Readonly<Record<string, Property>>;

export interface Block {
  readonly doc: string;
  readonly since: 1;
  /** Why a spec cannot do without it; absent for blocks that default. */
  readonly required?: string;
  /** It only exists with names, and this key says which of them a spec has. */
  readonly chosenBy?: string;
  /** What the quoted name after the block's name means, where it takes one. */
  readonly label?: string;
  readonly properties: Properties;
}

export type Language = Readonly<Record<string, Block>>;

type InferType<T> = T extends { kind: "string" } | { kind: "path" }
  ? string
  : T extends
        | { kind: "integer"; word: infer Word }
        | { kind: "quantity"; words: readonly (infer Word)[] }
    ? number | Word
    : T extends { kind: "boolean" }
      ? boolean
      : T extends { kind: "scalar" }
        ? string | number | boolean
        : T extends { kind: "integer" } | { kind: "number" } | { kind: "quantity" }
          ? number
          : T extends { kind: "enumeration"; values: readonly (infer Value)[] }
            ? Value
            : T extends { kind: "list"; item: infer Item }
              ? readonly InferType<Item>[]
              : T extends { kind: "tagged"; variants: infer Variants }
                ? {
                    [Tag in keyof Variants]: { readonly type: Tag } & InferProperties<
                      Variants[Tag]
                    > &
                      InferOthers<T, Tag>;
                  }[keyof Variants]
                : never;

type InferOthers<T, Tag> = T extends { open: infer Open }
  ? Tag extends keyof Open
    ? { readonly others: Readonly<Record<string, InferProperty<Open[Tag]>>> }
    : unknown
  : unknown;

type InferProperty<P> = P extends { optional: string; type: infer T }
  ? InferType<T> | undefined
  : P extends { type: infer T }
    ? InferType<T>
    : never;

export type InferProperties<P> = { readonly [Key in keyof P]: InferProperty<P[Key]> };

/** The shape of a checked spec: what the table declares, with defaults filled in. */
export type InferSpec<L> = {
  readonly [Name in keyof L]: L[Name] extends { properties: infer P }
    ?
        | (InferProperties<P> &
            (L[Name] extends { label: string } ? { readonly label: string | undefined } : unknown))
        | (L[Name] extends { chosenBy: string } ? undefined : never)
    : never;
};
