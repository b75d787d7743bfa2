import { extname } from "pathe";
import { type ParsedFile, parseSpec } from "../syntax/parse.js";

/** A file of a project as it was read: the spec itself or something that it imports. */
export interface SourceDocument extends ParsedFile {
  readonly text: string;
  /** Its folder seen from the spec's, `.` where they are the same: what its paths are relative to. */
  readonly folder: string;
}

/** Reads the YAML or JSON form of a spec. */
export type DocumentReader = (file: string, text: string) => ParsedFile;

const YAML_ENDINGS: readonly string[] = [".yaml", ".yml", ".json"];

/** Whether a file holds the YAML or JSON form of a spec. */
export const isYamlPath = (file: string): boolean =>
  YAML_ENDINGS.includes(extname(file).toLowerCase());

/**
 * Reads one file, in the form that its ending tells.
 *
 * @param yaml reader of the YAML form; kept out of here because most programs never need it
 */
export function readDocument(
  file: string,
  text: string,
  folder: string,
  yaml: DocumentReader | undefined,
): SourceDocument {
  const read = yaml && isYamlPath(file) ? yaml : parseSpec;
  return { ...read(file, text), text, folder };
}
