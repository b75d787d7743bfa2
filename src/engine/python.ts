import { dirname, join } from "pathe";
import type { Host } from "../host/host.js";

/** Packages that the engine may need, as pip names them. */
export const PACKAGES = "tokenizers jinja2 pyarrow";

const PLACES = ["bin/python", "Scripts/python.exe"];

/** The Python that a user would expect: the one that is named, an active or the project's environment, or the system's. */
export function findPython(host: Host, folder: string): string {
  const chosen = host.variable("SKRULL_PYTHON");
  if (chosen) return chosen;
  const active = host.variable("VIRTUAL_ENV");
  const environments = [
    ...(active ? [active] : []),
    ...ancestors(folder).map(environmentIn),
    // Of a checkout of skrull, which has made one.
    host.assetPath(ENVIRONMENT),
  ];
  const found = environments.flatMap((path) => PLACES.map((place) => join(path, place)));
  return found.find((path) => host.status(path)?.kind === "file") ?? "python3";
}

const ENVIRONMENT = ".venv";
const environmentIn = (folder: string): string => join(folder, ENVIRONMENT);

function ancestors(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...ancestors(above)];
}
