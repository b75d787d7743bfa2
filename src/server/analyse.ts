import { dirname } from "pathe";
import type { Host } from "../host/host.js";
import { importLoader } from "../inputs/import-loader.js";
import { type Analysis, analyze } from "../semantics/analyze.js";
import { readYaml } from "../syntax/yaml/read-yaml.js";

/**
 * Analyses a text with what it imports.
 *
 * @param path absolute, of the text
 * @param openText text of a document that is open, which comes before what is saved
 */
export function analyse(
  host: Host,
  path: string,
  text: string,
  openText: (path: string) => string | undefined,
): Analysis {
  const saved = importLoader(host, dirname(path));
  const load: typeof saved = (imported) => {
    const found = saved(imported);
    const open = "text" in found ? openText(imported) : undefined;
    return open === undefined ? found : { text: open };
  };
  return analyze(path, text, { load, yaml: readYaml });
}
