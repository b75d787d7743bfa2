import { Option } from "commander";

export const runOption = (): Option => new Option("--run <name>", "which of the file's runs");

/** @param more besides those that every verb with output has */
export const formatOption = (...more: readonly string[]): Option =>
  new Option("--format <format>", "output format")
    .choices(["pretty", "json", ...more])
    .default("pretty");
