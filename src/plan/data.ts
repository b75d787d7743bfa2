export * from "../lengths/prepare-data.js";
