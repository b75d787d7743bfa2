import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";

/** A module that runs in the editor's own Node, or a command; some commands only a shell can start. */
export type Server =
  | { readonly module: string }
  | { readonly command: string; readonly shell?: true };

/** Where an installed package or a checkout has the compiler, below a workspace folder. */
const PACKAGE = "node_modules/skrull/dist/cli/main.js";
const CHECKOUT = "dist/cli/main.js";

/**
 * How to start the language server: what the setting names, else the workspace's own compiler, so that the editor and
 * CI check with the same version, else `skrull` on the `PATH`.
 */
export function findServer(setting: string, folders: readonly string[]): Server {
  if (setting !== "") return serverAt(absolute(setting, folders));
  for (const folder of folders) {
    if (existsSync(join(folder, PACKAGE))) return { module: join(folder, PACKAGE) };
    // Other packages have a `dist/cli/main.js` too.
    const ours = existsSync(join(folder, "dist/server/server.js"));
    if (ours && existsSync(join(folder, CHECKOUT))) return { module: join(folder, CHECKOUT) };
  }
  return serverAt(process.platform === "win32" ? "skrull.cmd" : "skrull");
}

function serverAt(path: string): Server {
  if (/\.[cm]?js$/.test(path)) return { module: path };
  // Node starts no scripts of Windows' shell by itself.
  return /\.(cmd|bat)$/i.test(path) ? { command: `"${path}"`, shell: true } : { command: path };
}

/** A setting with a folder in it is relative to the workspace; without, it is a command of the `PATH`. */
function absolute(setting: string, [folder]: readonly string[]): string {
  if (isAbsolute(setting) || !/[\\/]/.test(setting) || folder === undefined) return setting;
  return join(folder, setting);
}
