"""The ranks of a run: prepared, started, trained step by step, ended."""
