import { describe, expect, it } from "vitest";
import { coverSecrets, findSecrets, secretCover } from "../../src/foundation/secrets.js";

const DIGITS = "0123456789abcdef0123456789abcdef01234567";
const LETTERS = "aB3".repeat(14);

const kinds = (text: string) => findSecrets(text).map(({ kind }) => kind);

describe("a credential", () => {
  it.each([
    [`sk-${LETTERS}`, "an API key"],
    [`sk-proj-${LETTERS}-${LETTERS}`, "an API key"],
    [`wandb_key = "${DIGITS}"`, "a Weights & Biases key"],
    ["https://user:hunter2@host/data", "a password in a URL"],
  ])("is found: %s", (text, kind) => {
    expect(kinds(text)).toEqual([kind]);
  });

  it.each([
    `revision = "${DIGITS}"`,
    "data/sk-wiki-long-documents-filtered-and-shuffled-2024.jsonl",
    "hf_short",
    "https://host:8080/data",
  ])("is none: %s", (text) => {
    expect(kinds(text)).toEqual([]);
    expect(coverSecrets(text)).toBe(text);
  });
});

describe("a cover for texts", () => {
  const cover = secretCover([`wandb_key = "${DIGITS}"`, "https://me:abc@host"]);

  it("also covers a credential where nothing gives it away", () => {
    expect(cover(`'deepspeed' is "${DIGITS}"`)).toBe(`'deepspeed' is "${"*".repeat(40)}"`);
  });

  it("covers the beginning that a message shows of one", () => {
    expect(cover(`found '"${DIGITS.slice(0, 23)}…'`)).toBe(`found '"${"*".repeat(23)}…'`);
  });

  it("leaves everything else, and words as short as a weak password", () => {
    const text = "abc is a name, and 0123… a number";
    expect(cover(text)).toBe(text);
  });
});
