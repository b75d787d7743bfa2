import { createHash } from "node:crypto";
import * as fs from "node:fs";
import module, { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { constants, Script } from "node:vm";
import { makeFolders } from "./make-folders.js";

/** Of Node 22.1 and newer. */
type EnableCompileCache = (folder: string) => unknown;
const { enableCompileCache } = module as { readonly enableCompileCache?: EnableCompileCache };

const DIGEST_BYTES = 32;
/** Users who do not want it set this for Node's own cache. */
const SWITCH = "NODE_DISABLE_COMPILE_CACHE";

/** From here on Node keeps what V8 makes of modules, for the next start; before Node 22.1 it cannot. */
export function keepCompiled(folder: string | undefined): void {
  if (folder === undefined || !enableCompileCache) return;
  const kept = join(folder, "code");
  try {
    makeFolders(kept);
    enableCompileCache(kept);
  } catch {
    // Nothing is kept then.
  }
}

/**
 * Runs a script in CommonJS whose first line says which it is. Most of a short command's time goes into compiling, so
 * the compiled code is kept, with all that was compiled until the end: Node's own cache holds less.
 *
 * @param isTypical asked at the end: whether this start has compiled what most starts need
 */
export function runScript(
  path: string,
  folder: string | undefined,
  isTypical: () => boolean,
): void {
  if (folder === undefined || process.env[SWITCH]) createRequire(path)(path);
  else runKept(path, join(folder, "code"), isTypical);
}

/** As Node's `require` does it, with the compiled code of an earlier start where there is some. */
function runKept(path: string, folder: string, isTypical: () => boolean): void {
  const source = fs.readFileSync(path, "utf8");
  const kept = join(folder, fileName(source));
  const code = readKept(kept);
  const wrapped = `(function (exports, require, module, __filename, __dirname) { ${source}\n})`;
  const script = new Script(wrapped, {
    filename: path,
    ...(code ? { cachedData: code } : {}),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const run = script.runInThisContext() as (...values: readonly unknown[]) => void;
  const own = { exports: {} };
  run(own.exports, createRequire(path), own, path, dirname(path));
  if (code && !script.cachedDataRejected) return;
  process.once("exit", () => {
    if (isTypical()) keep(kept, script.createCachedData());
  });
}

/** V8 takes compiled code for another's source if that is as long: the name holds the digest of ours. */
function fileName(source: string): string {
  const digest = /^\/\/ ([\da-f]{64})\n/.exec(source)?.[1];
  if (digest === undefined) throw new Error("the script does not say which it is");
  return `${process.version}-${process.arch}-${digest.slice(0, 32)}.bin`;
}

/** V8 trusts what it is given: only whole files that nobody else could have written are. */
function readKept(path: string): Buffer | undefined {
  try {
    const { uid, mode } = fs.statSync(path);
    if (process.getuid && (uid !== process.getuid() || (mode & 0o022) !== 0)) return undefined;
    const bytes = fs.readFileSync(path);
    const code = bytes.subarray(DIGEST_BYTES);
    return bytes.subarray(0, DIGEST_BYTES).equals(digestOf(code)) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Where it cannot be kept, the next start is as slow as this one was. */
function keep(path: string, code: Buffer): void {
  const temporary = `${path}.${process.pid}`;
  try {
    makeFolders(dirname(path));
    fs.writeFileSync(temporary, Buffer.concat([digestOf(code), code]), { mode: 0o600 });
    fs.renameSync(temporary, path);
    removeOthers(path);
  } catch {
    discard(temporary);
  }
}

/** Also where its folder is none. */
function discard(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // There is nothing to remove.
  }
}

/** Of the same Node, what an earlier version of the script left. */
function removeOthers(path: string): void {
  const folder = dirname(path);
  const own = basename(path);
  const stem = own.slice(0, own.lastIndexOf("-") + 1);
  for (const name of fs.readdirSync(folder)) {
    if (name.startsWith(stem) && name.endsWith(".bin") && name !== own)
      fs.rmSync(join(folder, name), { force: true });
  }
}

const digestOf = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
