// Makes the solver's Python environment, for the tests of its programs, and prints its Python.
import { solverPython } from "./solver.mjs";

process.stdout.write(solverPython());
