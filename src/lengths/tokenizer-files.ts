import { join } from "pathe";
import type { Host } from "../host/host.js";

/** Instead of a path: every byte is a token. */
export const BYTES_TOKENIZER = "bytes";

/** Files of a tokenizer that a run needs; the first is read, the others are copied where they exist. */
export const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
] as const;

/** Where a tokenizer's files are: of a folder, or beside a `tokenizer.json`. */
export function tokenizerFiles(host: Host, path: string): Record<string, string> {
  const isFolder = host.status(path)?.kind === "folder";
  const folder = isFolder ? path : join(path, "..");
  const files: Record<string, string> = {
    "tokenizer.json": isFolder ? join(path, "tokenizer.json") : path,
  };
  for (const name of TOKENIZER_FILES.slice(1)) {
    const beside = join(folder, name);
    if (host.status(beside)?.kind === "file") files[name] = beside;
  }
  return files;
}

/** Those of its files that decide the ids. */
export function decisiveFiles(files: Readonly<Record<string, string>>): readonly string[] {
  return ["tokenizer.json", "tokenizer_config.json"].flatMap((name) => files[name] ?? []);
}
