import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { printable } from "../foundation/printable.js";

/** What changes in a file, as `diff -u` shows it. */
export function unifiedDiff(path: string, before: string, after: string): string {
  const name = printable(path);
  return createTwoFilesPatch(`a/${name}`, `b/${name}`, before, after, undefined, undefined, {
    headerOptions: FILE_HEADERS_ONLY,
  });
}
