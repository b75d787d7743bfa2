/** `skrull.manifest.json`: what made a run's folder, and what it held when it was written. */
export interface Manifest {
  readonly format_version: 1;
  readonly skrull_version: string;
  /** Path relative to the spec's folder to SHA-256. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Path relative to the run's folder to SHA-256. */
  readonly outputs: Readonly<Record<string, string>>;
}

export const MANIFEST_NAME = "skrull.manifest.json";

/** Reads a manifest's text; `undefined` where it is not one. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const value = JSON.parse(text) as Manifest;
    const sound = value.format_version === 1 && isTextMap(value.outputs) && isTextMap(value.inputs);
    return sound ? value : undefined;
  } catch {
    return undefined;
  }
}

function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((entry) => typeof entry === "string");
}
