import * as fs from "node:fs";
import { dirname } from "pathe";

/** Node's own recursive mkdir never returns where a file system refuses every new folder, as /proc does. */
export function makeFolders(path: string): void {
  if (fs.existsSync(path)) return;
  makeFolders(dirname(path));
  fs.mkdirSync(path);
}
