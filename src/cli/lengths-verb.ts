import { type Command, InvalidArgumentError, Option } from "commander";
import {
  FORMAT_WORDS,
  MARKERS_WORDS,
  SUPERVISE_WORDS,
} from "../foundation/vocabularies.generated.js";
import { formatOption, runOption } from "./options.js";
import type { Program } from "./program.js";
import type { Which } from "./show-sample.js";

export function addLengths({ program, host, terminal, version, end }: Program): void {
  const command = program
    .command("lengths")
    .description("token lengths of data, or what a sample is trained as")
    .argument(
      "<data...>",
      "data files, folders or glob patterns; or one spec, for its training data",
    )
    .option("--tokenizer <path>", "tokenizer.json, a folder with one, or bytes")
    .addOption(runOption())
    .addOption(formatOption());
  addRendering(command)
    .option("--out <file>", "write the lengths to a file, one per line", nonEmpty)
    .option(
      "--show <which...>",
      "show rows instead, with what the loss counts: a line number, longest, random N, unsupervised",
    )
    .option("--seed <number>", "seed for random rows", wholeNumber, 0)
    .option("--part <k/n>", "only fill the token store, as machine k of n that share it", partOf)
    .action(async (data: string[], { show, seed, ...options }) => {
      const { lengthsCommand } = await import("./lengths.js");
      const which = show && whichRows(show, seed);
      end(
        await lengthsCommand(host, terminal, data, {
          ...options,
          show: which,
          skrullVersion: version,
        }),
      );
    });
}

/** How rows become text, and what the loss counts of it. */
function addRendering(command: Command): Command {
  return command
    .addOption(
      new Option("--supervise <tokens>", "tokens the loss counts")
        .choices([...SUPERVISE_WORDS])
        .default("assistant"),
    )
    .addOption(
      new Option("--data-format <format>", "layout of a row")
        .choices([...FORMAT_WORDS])
        .default("auto"),
    )
    .option(
      "--column <key=name>",
      "a column with another name, such as messages=dialog",
      append,
      [],
    )
    .option(
      "--role <name=role>",
      "what a speaker's name stands for, such as bot=assistant",
      append,
      [],
    )
    .option("--ignore <name>", "a column or key to ignore without a message", append, [])
    .option("--template <template>", "how a conversation becomes text: a name, or a file", "auto")
    .option(
      "--argument <name=value>",
      "an argument of the template, such as enable_thinking=false",
      append,
      [],
    )
    .option("--begin-token <text>", "token before a sample that is not a conversation")
    .option("--end-token <text>", "token that ends a sample, if the template leaves it open")
    .addOption(
      new Option("--markers <as>", "how to read a special token's text in a content")
        .choices([...MARKERS_WORDS])
        .default("text"),
    );
}

function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError("must be a whole number");
  return Number(value);
}

function partOf(value: string): readonly [number, number] {
  const [, index = "", count = ""] = /^(\d{1,6})\/(\d{1,6})$/.exec(value) ?? [];
  const [k, n] = [Number(index), Number(count)];
  if (k < 1 || n < 1 || k > n) throw new InvalidArgumentError("must be K/N with K from 1 to N");
  return [k - 1, n];
}

/** Samples shown where no number is given. */
const FEW = 3;

function whichRows([what = "", count, ...more]: readonly string[], seed: number): Which {
  const number = count === undefined ? FEW : wholeNumber(count);
  if (more.length === 0) {
    if (/^[1-9]\d{0,14}$/.test(what) && count === undefined) return { line: Number(what) };
    if (what === "longest" && count === undefined) return { longest: true };
    if (what === "random") return { random: number, seed };
    if (what === "unsupervised") return { unsupervised: number };
  }
  throw new InvalidArgumentError("--show takes a line number, longest, random N or unsupervised");
}

function nonEmpty(value: string): string {
  if (value === "") throw new InvalidArgumentError("must not be empty");
  return value;
}
