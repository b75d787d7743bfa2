// Generated from the files of this folder by scripts/generate-rules.mjs. Do not edit.
import type { DiagnosticCode } from "../../diagnostics/catalogue.js";
import type { Topic } from "../topics.js";

/** Codes of the rules of every topic; who only shows them need not load the rules. */
export const RULES_OF_TOPIC: Readonly<Record<Topic, readonly DiagnosticCode[]>> = {
  adapters: ["adapter-scale-unusual","adapters-on-random-weights","adapters-too-large","adapters-with-zero-three","unknown-adapter-target"],
  data: ["batch-exceeds-data","evaluation-on-training-data","last-batch-tiny","overlong-samples","overlong-samples-lost","stale-lengths","unsupervised-samples"],
  machines: ["context-too-large","group-crosses-nodes","heads-not-divisible","hosts-name-local","idle-ranks","outdated-deepspeed","profile-mismatch"],
  memory: ["bucket-exceeds-budget","bucket-too-small","checkpointing-offload-needless","evaluation-too-long","host-memory-exceeded","host-memory-short","logits-dominate","offload-needless","reserve-too-small","sequence-too-long","states-exceed-budget"],
  model: ["attention-needs-gpu","full-precision-on-gpu","hub-weights-quantised","incompatible-combination","invalid-model-config","max-length-beyond-positions","model-unchecked","model-undescribed","position-limit","remote-code-needed","revision-unpinned","sequences-stay-whole","tiles-with-experts","tokenizer-without-meaning","weights-incomplete","weights-not-found","weights-of-another-shape","weights-quantised","weights-unreadable"],
  text: ["key-without-effect","secret-in-spec","unused-constant","unused-import"],
  training: ["betas-unsound","checkpoint-never","clip-unusual","interval-beyond-run","learning-rate-unusual","resume-on-other-ranks","warmup-dominates"],
};
