import { isYamlPath } from "../semantics/document.js";
import { SPEC_LEXER } from "../syntax/tokens.js";
import type { Comments } from "./comment.js";
import type { Source } from "./subject.js";

/** What a comment that suppresses begins with. */
export const SUPPRESSION_MARK = "skrull-ignore";

/** Comments of a document that has suppressions; none of any other. YAML has a lexer of its own, loaded where it is met. */
export async function commentsOf({ file, text }: Source): Promise<Comments> {
  if (!text.includes(SUPPRESSION_MARK)) return { comments: [], content: 0 };
  if (!isYamlPath(file)) return commentsInSpec(text);
  const { commentsInYaml } = await import("./yaml-comments.js");
  return commentsInYaml(text);
}

/** Comments of a spec. */
export function commentsInSpec(text: string): Comments {
  const { tokens, groups } = SPEC_LEXER.tokenize(text);
  const comments = (groups["comments"] ?? []).map(({ image, startOffset }) => ({
    text: image,
    start: startOffset,
    end: startOffset + image.length,
  }));
  return { comments, content: tokens[2]?.startOffset ?? text.length };
}
