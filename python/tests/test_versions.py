"""Packages that are too old or too new, and that what a version lacks is what the published table says."""

from __future__ import annotations

import pytest

from skrull_runtime import versions
from skrull_runtime.contract import document
from skrull_runtime.errors import UserError

TABLE = document("versions.json")


def test_every_feature_is_there_from_the_version_that_the_table_says():
    for entry in TABLE["features"]:
        version = versions.numbers(versions.installed(entry["package"]))
        assert versions.PROBES[entry["id"]]() == (version >= versions.numbers(entry["since"]))
    assert versions.PROBES.keys() == {entry["id"] for entry in TABLE["features"]}


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
    assert "needs torch 2.10" in said and "the model's precision" in said


def pretend(monkeypatch: pytest.MonkeyPatch, name: str, version: str) -> None:
    """As if that version were installed."""
    own = versions.installed
    monkeypatch.setattr(
        versions, "installed", lambda other: version if other == name else own(other)
    )
