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

export type ValueNode = NameNode | StringNode | NumberNode | ListNode | TaggedNode;

export interface EntryNode extends Span {
  readonly kind: "entry";
  readonly key: NameNode;
  /** Absent where the parser recovered from an error. */
  readonly value?: ValueNode;
}

export interface BlockNode extends Span {
  readonly kind: "block";
  readonly name: NameNode;
  readonly label?: StringNode;
  readonly body: BodyNode;
}

export interface BodyNode extends Span {
  readonly entries: readonly EntryNode[];
  readonly blocks: readonly BlockNode[];
}

export interface FileNode extends Span {
  readonly kind: "file";
  /** The line `skrull 1`. */
  readonly version?: NumberNode & { readonly keyword: NameNode };
  readonly entries: readonly EntryNode[];
  readonly blocks: readonly BlockNode[];
}
