// The models of catalogue/models, each with what it has of the model that it is like.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { fail, ROOT } from "./lib.mjs";

const FOLDER = join(ROOT, "catalogue", "models");
/** What an entry has of the model that it is like, where it does not say itself. */
const INHERITED = ["parameters", "published", "yarn_original", "quantised", "note"];
/** What the compiler knows of a model; the rest is for the page of the catalogue and for tests. */
const COMPILED = ["name", "source", "parameters", "yarn_original", "quantised", "config"];

/** Every model, by its name on the hub, with its whole configuration. */
export function catalogueModels() {
  const entries = readdirSync(FOLDER)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => parse(readFileSync(join(FOLDER, name), "utf8")))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return entries.map((entry) => whole(entry, byName));
}

/** An entry that says `like` is another model's but for what it says itself; null takes a field away. */
function whole({ like, ...entry }, byName) {
  if (like === undefined) return entry;
  const found = byName.get(like) ?? fail(`${entry.name}: no model '${like}'`);
  const base = whole(found, byName);
  const merged = { ...picked(base, INHERITED), ...entry };
  const stated = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
  return { ...stated, config: { ...base.config, ...entry.config } };
}

/** What of a model is compiled into the command line. */
export const compiled = (model) => picked(model, COMPILED);

const picked = (entry, keys) =>
  Object.fromEntries(
    keys.filter((key) => entry[key] !== undefined).map((key) => [key, entry[key]]),
  );
