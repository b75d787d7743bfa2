"""The table of configurations and their refusals, which the compiler's tests run too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoConfig
from transformers.activations import ACT2FN

from skrull_runtime.contract import document
from skrull_runtime.errors import UserError
from skrull_runtime.refusals import model_types, refusals_of, refuse_unsupported

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "test/vectors/refusals.json").read_text()
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_configuration_meets_its_refusals(vector: dict):
    found = refusals_of(vector["config"])
    assert [refusal.id for refusal in found] == vector["refused"]
    assert vector.get("says") in (None, *(refusal.problem for refusal in found))
    if not found:
        refuse_unsupported(vector["config"])
        return
    with pytest.raises(UserError) as raised:
        refuse_unsupported(vector["config"])
    for refusal in found:
        assert refusal.problem in str(raised.value) and refusal.help in str(raised.value)


def test_every_refusal_has_a_configuration_that_meets_it():
    met = {refused for vector in VECTORS for refused in vector["refused"]}
    assert met == {refusal["id"] for refusal in document("refusals.json")["refusals"]}


@pytest.mark.parametrize("family", model_types())
def test_what_transformers_takes_for_granted_of_a_family_is_not_refused(family: str):
    assert refusals_of(AutoConfig.for_model(family).to_dict()) == []


def test_every_allowed_activation_exists_in_transformers():
    (activation,) = (r for r in document("refusals.json")["refusals"] if r["id"] == "activation")
    assert set(activation["when"][0]["allow"]) <= set(ACT2FN)
