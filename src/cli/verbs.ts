import { InvalidArgumentError, Option } from "commander";
import { SUPERVISE_WORDS } from "../foundation/vocabularies.generated.js";
import { LANGUAGE } from "../language/language.js";
import { addLint, formatOption } from "./lint-verb.js";
import type { Program } from "./program.js";
import type { Which } from "./show-sample.js";
import { DEFAULT_TEMPLATE, TEMPLATES } from "./templates.js";

const runOption = () => new Option("--run <name>", "which of the file's runs");

/** Each verb loads its own code: `schedule` and `--help` start without a parser or a tokenizer. */
export function addVerbs(all: Program): void {
  const { program, host, terminal, version, end } = all;

  program
    .command("init")
    .description("write a starter spec with sample data; overwrites nothing")
    .argument("[dir]", "folder to write to", ".")
    .addOption(
      new Option("--template <name>", "what to start from")
        .choices(Object.keys(TEMPLATES))
        .default(DEFAULT_TEMPLATE),
    )
    .action(async (folder: string, options) => {
      const { initCommand } = await import("./init.js");
      end(initCommand(host, terminal, folder, options));
    });

  addLint(all);

  program
    .command("explain")
    .description("show the page of a diagnostic, offline; without a code, list them all")
    .argument("[code]", "code of a diagnostic, such as unknown-key")
    .action(async (code: string | undefined) => {
      const { explainCommand } = await import("./explain.js");
      end(explainCommand(host, terminal, code));
    });

  program
    .command("fmt")
    .description("format specs in place; '-' formats standard input to standard output")
    .argument("<path...>", "spec files, folders with specs, or -")
    .option("--check", "write nothing; exit with 1 if a file is not formatted", false)
    .option("--diff", "write nothing; show what would change", false)
    .action(async (paths: string[], options) => {
      const { fmtCommand } = await import("./fmt.js");
      end(await fmtCommand(host, terminal, paths, options, readInput));
    });

  program
    .command("plan")
    .description("measure, solve and explain; writes nothing")
    .argument("<spec>", "spec file")
    .addOption(runOption())
    .addOption(formatOption())
    .action(async (spec: string, options) => {
      const { planCommand } = await import("./plan.js");
      end(
        await planCommand(host, terminal, {
          ...options,
          path: spec,
          skrullVersion: version,
        }),
      );
    });

  program
    .command("compare")
    .description("predicted step time of the scheduling policies side by side; writes nothing")
    .argument("<spec>", "spec file")
    .addOption(runOption())
    .option("--policies <names>", "only these, separated by commas, and the baselines", splitNames)
    .addOption(formatOption())
    .action(async (spec: string, options) => {
      const { compareCommand } = await import("./compare.js");
      end(
        await compareCommand(host, terminal, {
          ...options,
          path: spec,
          skrullVersion: version,
        }),
      );
    });

  program
    .command("tune")
    .description("rank CP degrees, ZeRO stages, recomputation and C for a spec; writes nothing")
    .argument("<spec>", "spec file")
    .addOption(runOption())
    .addOption(formatOption())
    .action(async (spec: string, options) => {
      const { tuneCommand } = await import("./tune.js");
      end(
        await tuneCommand(host, terminal, {
          ...options,
          path: spec,
          skrullVersion: version,
        }),
      );
    });

  program
    .command("compile")
    .description(
      "emit a run: DeepSpeed configuration, sampler, training entry point, launch script",
    )
    .argument("<spec>", "spec file")
    .addOption(runOption())
    .requiredOption("--out <dir>", "folder to write")
    .option(
      "--check",
      "write nothing; exit with 1 if the folder is not what would be emitted",
      false,
    )
    .option("--force", "overwrite files that were edited by hand", false)
    .action(async (spec: string, options) => {
      const { compileCommand } = await import("./compile.js");
      end(
        await compileCommand(host, terminal, {
          ...options,
          path: spec,
          skrullVersion: version,
        }),
      );
    });

  program
    .command("lengths")
    .description("token lengths of data, or what a sample is trained as")
    .argument(
      "<data...>",
      "data files, folders or glob patterns; or one spec, for its training data",
    )
    .option("--tokenizer <path>", "tokenizer.json, a folder with one, or bytes")
    .addOption(runOption())
    .addOption(formatOption())
    .addOption(
      new Option("--supervise <tokens>", "tokens the loss counts")
        .choices([...SUPERVISE_WORDS])
        .default("assistant"),
    )
    .addOption(
      new Option("--data-format <format>", "layout of a row")
        .choices(Object.keys(LANGUAGE.data.properties.format.type.variants))
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
        .choices(["text", "tokens"])
        .default("text"),
    )
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

  program
    .command("cache")
    .description("token tables and counts kept between runs, which can be made again")
    .option("--size", "print its size (the default)", false)
    .option("--clear", "remove it", false)
    .addOption(formatOption())
    .action(async (options) => {
      const { cacheCommand } = await import("./cache.js");
      end(cacheCommand(host, terminal, options));
    });

  program
    .command("schedule")
    .description("solve one scheduling problem: JSON on stdin, JSON on stdout")
    .action(async () => {
      const { scheduleCommand } = await import("./schedule.js");
      end(scheduleCommand(host, terminal, await readInput()));
    });

  program
    .command("lsp")
    .description("language server for editors, on stdin and stdout")
    .option("--stdio", "the only transport; accepted because editors pass it")
    .option("--clientProcessId <pid>", "exit when this process does")
    .action(async () => {
      const { lspCommand } = await import("./lsp.js");
      const { stdin: input, stdout: output } = process;
      lspCommand(host, { input, output }, { skrullVersion: version });
    });
}

function splitNames(value: string): readonly string[] {
  return value.split(",").map((name) => name.trim());
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

async function readInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString("utf8");
}
