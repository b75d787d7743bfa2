import { isYamlPath } from "../semantics/document.js";
import { type ParsedFile, parseSpec } from "../syntax/parse.js";
import { readYaml } from "../syntax/yaml/read-yaml.js";

/** Files by path as they were parsed, each until its text is another: imports are asked for again with every key. */
export class ParsedFiles {
  readonly #known = new Map<string, { readonly text: string; readonly parsed: ParsedFile }>();

  parsed(file: string, text: string): ParsedFile {
    const known = this.#known.get(file);
    if (known?.text === text) return known.parsed;
    const parsed = isYamlPath(file) ? readYaml(file, text) : parseSpec(file, text);
    this.#known.set(file, { text, parsed });
    return parsed;
  }

  clear(): void {
    this.#known.clear();
  }
}
