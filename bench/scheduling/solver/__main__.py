"""Reads ``{"ask": "flexsp" | "exact" | "relaxed", "seconds": s, "problems": [...]}`` and writes an answer to each, as JSON."""

from __future__ import annotations

import json
import os
import sys

from . import exact, flexsp, relaxed
from .costs import Costs

ASKED = {
    "flexsp": flexsp.plan_batch,
    "exact": exact.solve_schedule,
    "relaxed": relaxed.bound_schedule,
}


def main() -> None:
    """Answers one after the other, and says on stderr how far it is."""
    request = json.load(sys.stdin)
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the solver prints its name on stdout
    answers = []
    for n, problem in enumerate(request["problems"]):
        print(f"==> {request['ask']} {n + 1} of {len(request['problems'])}", file=sys.stderr)
        answers.append(ASKED[request["ask"]](Costs(problem), request["seconds"]))
    with output:
        json.dump(answers, output)


main()
