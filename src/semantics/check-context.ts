import type { Properties, Property } from "../language/types.js";
import type { BodyNode, NameNode } from "../syntax/tree.js";
import type { SourceDocument } from "./document.js";
import type { Evaluator } from "./evaluate.js";
import type { Origins, Report } from "./report.js";
import type { Scope } from "./scope.js";

export interface Owner {
  /** Of the block or variant, for messages. */
  readonly name: string;
  /** Path of its values. */
  readonly path: string;
  /** Where a missing key is reported. */
  readonly header: NameNode;
  /** It may still be extended: nothing is missing in it. */
  readonly partial?: boolean;
  /** What a key that the table does not have is, where it may have such. */
  readonly open?: Property | undefined;
}

export interface CheckContext {
  /** Of the document that is being read. */
  readonly report: Report;
  readonly document: SourceDocument;
  readonly origins: Origins;
  readonly evaluator: Evaluator;
  readonly scope: Scope;
  /** The parser found errors: what seems to be missing may only be unreadable. */
  readonly broken: boolean;
  /** Names of the language's blocks. */
  readonly blocks: readonly string[];
}

/** A body and where it stands. */
export interface BodyLayer {
  readonly body: BodyNode;
  readonly document: SourceDocument;
}

/** Checks the values of a body: see `check-properties.ts`. */
export type CheckBody = (
  layers: readonly BodyLayer[],
  properties: Properties,
  owner: Owner,
  context: CheckContext,
) => Readonly<Record<string, unknown>> | undefined;

/** What the checker of a value needs to know of its surroundings. */
export interface ValueContext extends CheckContext {
  /** The key, for messages. */
  readonly name: string;
  /** The whole path, for origins. */
  readonly path: string;
  /** For values that are blocks: bodies consist of values, so their checker cannot be imported here. */
  readonly checkBody: CheckBody;
}
