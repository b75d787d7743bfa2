import { dirname } from "pathe";
import type { Host } from "../host/host.js";
import { importLoader } from "../inputs/import-loader.js";
import { type Analysis, analyze } from "../semantics/analyze.js";
import type { Loader } from "../semantics/imports.js";
import { readYaml } from "../syntax/yaml/read-yaml.js";
import { ParsedFiles } from "./parsed-files.js";

/**
 * Analyses a text with what it imports.
 *
 * @param path absolute, of the text
 * @param openText text of a document that is open, which comes before what is saved
 * @param files what was parsed before of imported files
 */
export function analyse(
  host: Host,
  path: string,
  text: string,
  openText: (path: string) => string | undefined,
  files = new ParsedFiles(),
): Analysis {
  const read = importLoader(host, dirname(path), openText);
  const load: Loader = (imported) => {
    const found = read(imported);
    return "text" in found ? { ...found, parsed: files.parsed(imported, found.text) } : found;
  };
  return analyze(path, text, { load, yaml: readYaml });
}
