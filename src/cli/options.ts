import { InvalidArgumentError, Option } from "commander";

export const runOption = (): Option => new Option("--run <name>", "which of the file's runs");

/** @param more besides those that every verb with output has */
export const formatOption = (...more: readonly string[]): Option =>
  new Option("--format <format>", "output format")
    .choices(["pretty", "json", ...more])
    .default("pretty");

export const rateOption = (): Option =>
  new Option(
    "--rate <price>",
    "price of a GPU-hour, instead of the spec's cluster { gpu_hour }",
  ).argParser((value: string) => {
    const price = Number(value);
    if (value.trim() === "" || !(price >= 0 && price <= MOST_RATE))
      throw new InvalidArgumentError(`must be a number from 0 to ${MOST_RATE}`);
    return price;
  });

/** As the language has it of `gpu_hour`. */
const MOST_RATE = 1_000_000;
