// npm run setup: packages, build and Python environment, without running anything.
import { say, setUp } from "./lib.mjs";

setUp();
say("Ready: try 'npx skrull --help'");
