/** Offsets into the text, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface NameNode extends Span {
  readonly kind: "name";
  readonly text: string;
}

export interface StringNode extends Span {
  readonly kind: "string";
  /** With escapes resolved. */
  readonly value: string;
}

export interface NumberNode extends Span {
  readonly kind: "number";
  readonly value: number;
  /** As written, without separators. */
  readonly text: string;
  readonly unit?: NameNode;
}

export interface ListNode extends Span {
  readonly kind: "list";
  readonly items: readonly ValueNode[];
}

/** `adamw { lr = 1e-5 }`: a name with a body of its own. */
export interface TaggedNode extends Span {
  readonly kind: "tagged";
  readonly tag: NameNode;
  readonly body: BodyNode;
}

/** `2 * 500 + 24`: operators of one precedence, applied from the left. */
export interface ChainNode extends Span {
  readonly kind: "chain";
  readonly first: ValueNode;
  readonly rest: readonly { readonly operator: Operator; readonly operand: ValueNode }[];
}

export type Operator = "+" | "-" | "*" | "/";

export interface NegativeNode extends Span {
  readonly kind: "negative";
  readonly operand: ValueNode;
}

/** A scalar of YAML or JSON: only the key's type says whether it is a word, a string or a quantity. */
export interface ScalarNode extends Span {
  readonly kind: "scalar";
  readonly text: string;
}

export type ValueNode =
  | NameNode
  | StringNode
  | NumberNode
  | ListNode
  | TaggedNode
  | ChainNode
  | NegativeNode
  | ScalarNode;

export interface EntryNode extends Span {
  readonly kind: "entry";
  readonly key: NameNode;
  /** Absent where the parser recovered from an error. */
  readonly value?: ValueNode;
}

export interface BlockNode extends Span {
  readonly kind: "block";
  /** Which block of the language, or `run`. */
  readonly name: NameNode;
  /** The name that other places refer to it by: `cluster big { ... }`. */
  readonly given?: NameNode;
  readonly label?: StringNode;
  /** The named block that it `extends`. */
  readonly base?: NameNode;
  readonly body: BodyNode;
}

/** `import "cluster.skrull"`. */
export interface ImportNode extends Span {
  readonly kind: "import";
  readonly path: StringNode;
}

/** `let seq = 128K`. */
export interface ConstantNode extends Span {
  readonly kind: "constant";
  readonly name: NameNode;
  /** Absent where the parser recovered from an error. */
  readonly value?: ValueNode;
}

export interface BodyNode extends Span {
  readonly entries: readonly EntryNode[];
  readonly blocks: readonly BlockNode[];
  /** Imports and constants: right only at the top of a file. */
  readonly imports: readonly ImportNode[];
  readonly constants: readonly ConstantNode[];
}

export interface FileNode extends BodyNode {
  readonly kind: "file";
  /** The line `skrull 1`. */
  readonly version?: NumberNode & { readonly keyword: NameNode };
}
