"""Packages that are too old or too new, and that what a version lacks is what the published table says."""

from __future__ import annotations

import contextlib

import pytest
import tiny

from skrull_runtime import versions
from skrull_runtime.contract import document
from skrull_runtime.errors import UserError

TABLE = document("versions.json")


def test_every_feature_is_there_from_the_version_that_the_table_says():
    features = {entry["id"]: entry for entry in TABLE["features"]}
    for name, probe in versions.PROBES.items():
        version = versions.numbers(versions.installed(features[name]["package"]))
        assert probe() == (version >= versions.numbers(features[name]["since"]))


def test_the_packages_of_the_tests_are_within_the_ranges():
    assert versions.check_packages() == []


@pytest.mark.parametrize("name", TABLE["packages"])
def test_a_package_that_is_too_old_ends_the_run(name: str, monkeypatch: pytest.MonkeyPatch):
    pretend(monkeypatch, name, "0.9+cpu")
    with pytest.raises(UserError, match=rf"{name} 0\.9\+cpu is too old"):
        versions.check_packages()


@pytest.mark.parametrize("name", TABLE["packages"])
def test_a_package_that_nobody_has_tried_is_named(name: str, monkeypatch: pytest.MonkeyPatch):
    pretend(monkeypatch, name, f"{TABLE['packages'][name]['below']}.0.dev1")
    (remark,) = versions.check_packages()
    assert f"{name} " in remark and "newer than any that was tried" in remark


def test_what_a_version_lacks_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(versions.PROBES, "gradient-dtype", lambda: False)
    said = versions.missing("gradient-dtype")
    assert said is not None and "gradients = fp32" in said
    assert "only from torch 2.10 on (this is" in said and "the model's precision" in said


OFFLOAD = {"offload_optimizer": {"device": "cpu"}}


@pytest.mark.parametrize(
    ("version", "stage", "gradients", "lora", "said"),
    [
        ("0.19.7", 1, "fp32", False, "offloaded optimizer under ZeRO 1 or 2: only from deepspeed"),
        ("0.19.7", 2, "model", False, None),
        ("0.19.7", 3, "fp32", False, None),
        ("0.19.8", 1, "fp32", False, None),
        ("0.19.5", 3, "model", True, "adapters under ZeRO 3 with recomputation: only from"),
        ("0.19.5", 2, "model", True, None),
        ("0.19.6", 3, "model", True, None),
    ],
)
def test_what_an_older_deepspeed_would_do_wrongly_is_refused(
    version: str,
    stage: int,
    gradients: str,
    lora: bool,
    said: str | None,
    monkeypatch: pytest.MonkeyPatch,
):
    pretend(monkeypatch, "deepspeed", version)
    train = tiny.train_config({"type": "sgd", "lr": 1.0}, gradients=gradients)
    model = tiny.model_config("full", lora)
    config = {"zero_optimization": {"stage": stage, **OFFLOAD}}
    with pytest.raises(UserError, match=said) if said else contextlib.nullcontext():
        versions.refuse_what_is_missing(model, train, config)


def test_an_older_deepspeed_would_train_something_else_with_muon(monkeypatch: pytest.MonkeyPatch):
    train, model = tiny.train_config({"type": "muon", "lr": 1.0}), tiny.model_config()
    pretend(monkeypatch, "deepspeed", "0.19.7")
    with pytest.raises(UserError, match=r"optimizer = muon: only from deepspeed 0\.19\.8"):
        versions.refuse_what_is_missing(model, train, {"zero_optimization": {"stage": 2}})
    pretend(monkeypatch, "deepspeed", "0.19.8")
    versions.refuse_what_is_missing(model, train, {"zero_optimization": {"stage": 2}})


def pretend(monkeypatch: pytest.MonkeyPatch, name: str, version: str) -> None:
    """As if that version were installed."""
    own = versions.installed
    monkeypatch.setattr(
        versions, "installed", lambda other: version if other == name else own(other)
    )
