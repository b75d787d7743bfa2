import { join } from "pathe";
import type { Host } from "../host/host.js";
import type { Spec } from "../language/language.js";
import type { CountRequest } from "../lengths/known.js";
import { BYTES_TOKENIZER, decisiveFiles, tokenizerFiles } from "../lengths/tokenizer-files.js";

/** What of a spec decides the counts of its data, besides the data itself. */
export function countRequest(host: Host, folder: string, data: Spec["data"]): CountRequest {
  const { train: _, weights: __, malformed: ___, max_length: limit, overlong, ...rest } = data;
  const { min_turns: ____, unique: _____, ...counted } = rest;
  const truncateTo = overlong === "truncate" ? limit : null;
  const path = join(folder, data.tokenizer);
  const tokenizer =
    data.tokenizer === BYTES_TOKENIZER ? [] : decisiveFiles(tokenizerFiles(host, path));
  const template = "path" in data.template ? [join(folder, data.template.path)] : [];
  return { key: JSON.stringify([counted, truncateTo]), files: [...tokenizer, ...template] };
}
