const NAMES_SHOWN = 3;
const SHOWN = 120; // characters of a name, a type or a shape
const LAYER = /(?:^|\.)layers\.\d+\./;

/** Text of a file of weights, which anybody may have made: on one line, and cut where it is long. */
export function shown(text: string): string {
  const safe = JSON.stringify(text.slice(0, SHOWN)).slice(1, -1);
  return text.length > SHOWN ? `${safe}…` : safe;
}

/** Names, the first few of them, and how many there are. */
export function listed(names: readonly string[]): string {
  const more = names.length > NAMES_SHOWN ? ", …" : "";
  return `${names.slice(0, NAMES_SHOWN).map(shown).join(", ")}${more} (${names.length} in all)`;
}

/** What most likely happened to such weights, and what to do. Also in the runtime. */
export function likelyCause({
  missing,
  unexpected,
}: Readonly<Record<"missing" | "unexpected", readonly string[]>>): string {
  const prefix = prefixOf(missing, unexpected);
  if (prefix !== undefined)
    return `Every key starts with '${shown(prefix)}', as in a model that holds this one as a part: store the part's weights without it.`;
  if (missing.join() === "lm_head.weight" && unexpected.length === 0)
    return "They are of a model without an output head, or of one that ties it to the embeddings: set tie_word_embeddings to true in config.json if that is so.";
  if (unexpected.length > 0 && missing.length === 0 && unexpected.every((key) => LAYER.test(key)))
    return "The weights have more layers than the configuration, or layers with more parts, such as biases: use the config.json that came with them.";
  if (unexpected.length > 0)
    return "They are of another model: use the config.json that came with them.";
  if (missing.every((name) => LAYER.test(name)))
    return "Was one of several files not copied, or does the configuration have more layers than the weights? Copy or download them again, with the config.json that came with them.";
  return "Was one of several files not copied? Copy or download them again.";
}

/** What stands before every name in the files and before none of the model's, if anything does. */
function prefixOf(missing: readonly string[], unexpected: readonly string[]): string | undefined {
  const [first] = missing;
  if (first === undefined) return undefined;
  return unexpected
    .filter((key) => key.endsWith(first) && key !== first)
    .map((key) => key.slice(0, -first.length))
    .find((prefix) => unexpected.every((key) => key.startsWith(prefix)));
}
