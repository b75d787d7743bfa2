import type { Spec } from "../language/language.js";
import type { Origins, Reporting } from "./report.js";

/** Adapters that peft cannot make of experts. */
export function checkAdapters(
  { rank, targets, dropout, dora }: Spec["lora"],
  origins: Origins,
  at: Reporting,
): void {
  if (rank === 0 || !targets.includes("experts")) return;
  const second = "targets = [experts]";
  const place = (path: string) => (origins.has(path) ? path : "lora");
  if (dropout > 0) {
    const reason =
      "peft adds the adapters of experts to their weights, so that there is no input to drop from.";
    at("contradictory-keys", place("lora.dropout"), { first: "dropout", second, reason });
  }
  if (dora) {
    const reason = "peft has no magnitudes for weights of several experts in one tensor.";
    at("contradictory-keys", place("lora.dora"), { first: "dora = true", second, reason });
  }
}

/** What weights in four bits exclude. */
export function checkFourBits(
  { rank, base, merge }: Spec["lora"],
  { zero }: Spec["parallel"],
  at: Reporting,
): void {
  if (rank === 0 || base === "model") return;
  const second = "base = nf4";
  if (zero === 3) {
    const reason = "DeepSpeed would divide weights whose scales belong to blocks of all of them.";
    const help = "Write zero = 2, or base = model.";
    at("contradictory-keys", "lora.base", { first: "zero = 3", second, reason }, { help });
  }
  if (merge) {
    const reason =
      "Weights in four bits have lost what a merged model needs. Merge the exported adapters into the published weights with peft's merge_and_unload.";
    at("contradictory-keys", "lora.merge", { first: "merge = true", second, reason });
  }
}

/** Rows of new tokens that ZeRO 3 would gather outside of peft's forward. */
export function checkNewRows(
  { rank, modules_to_save }: Spec["lora"],
  { vocabulary }: Spec["model"],
  { zero }: Spec["parallel"],
  at: Reporting,
): void {
  if (rank === 0 || zero < 3 || vocabulary === "model" || modules_to_save.length > 0) return;
  const [first, second] = ["vocabulary = tokenizer", "zero = 3"];
  const reason =
    "Beside adapters, the rows of new tokens are trained by themselves, which peft and DeepSpeed cannot do with weights in partitions.";
  const help = "Write zero = 2, or lora { modules_to_save = [embedding, head] }.";
  at("contradictory-keys", "model.vocabulary", { first, second, reason }, { help });
}
