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
  const more = join(folder, ADDITIONAL);
  if (host.status(more)?.kind === "folder")
    for (const name of host.list(more).filter((file) => file.endsWith(".jinja")))
      files[`${ADDITIONAL}/${name}`] = join(more, name);
  return files;
}

/** Folder of a tokenizer's other templates, such as the one for tools. */
const ADDITIONAL = "additional_chat_templates";

/** Those of its files that decide the tokens of a sample. */
export function decisiveFiles(files: Readonly<Record<string, string>>): readonly string[] {
  const names = ["tokenizer.json", "tokenizer_config.json"];
  return Object.entries(files).flatMap(([name, file]) =>
    names.includes(name) || name.endsWith(".jinja") ? [file] : [],
  );
}
