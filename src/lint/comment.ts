export interface Comment {
  /** With its mark. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface Comments {
  readonly comments: readonly Comment[];
  /** Where the first thing that is neither a comment nor the language's version begins. */
  readonly content: number;
}
