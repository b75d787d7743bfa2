export interface PathProblem {
  readonly text: string;
  readonly help: string;
}

const RELATIVE = "Write it relative to the spec's folder.";
const BELOW =
  "Link what lies elsewhere into the folder, as in `ln -s /where/it/is data`, or move the spec to its data.";

/**
 * Why a path of a spec cannot be used; `undefined` where it can.
 *
 * @param inside whether it must stay below the spec's folder
 */
export function pathProblem(path: string, inside: boolean): PathProblem | undefined {
  if (path === "") return { text: "is empty", help: "Name a file or folder." };
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(path)) {
    return {
      text: "holds control characters",
      help: "Use a path that can be written on one line.",
    };
  }
  if (path.includes("\\"))
    return { text: "contains a backslash", help: "Separate folders with /." };
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) {
    return { text: "is absolute", help: inside ? BELOW : RELATIVE };
  }
  if (path.startsWith("~")) return { text: "begins with ~", help: inside ? BELOW : RELATIVE };
  if (inside && leaves(path)) {
    return { text: "leaves the spec's folder", help: BELOW };
  }
  return undefined;
}

function leaves(path: string): boolean {
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "." && part !== "") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
