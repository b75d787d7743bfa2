"""What cannot be trained right is refused before training, with the reason."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import launch
import pytest
import tiny

from skrull_runtime.errors import UserError
from skrull_runtime.model.build import build_model


def test_ranks_that_disagree_end_by_name_on_every_rank():
    script = Path(__file__).with_name("agreement_worker.py")
    for code, output in launch.finish(launch.start(2, script), timeout=120):
        assert code == 3
        assert "rank 1 and rank 0 differ in their plan" in output


@pytest.mark.parametrize("name", tiny.ROPE)
def test_scaled_rotary_embeddings_are_those_of_the_spec(name: str, tmp_path: Path):
    tiny.write_config(tmp_path, name)
    model = build_model(tiny.model_config(), tmp_path, None, 1)
    written = json.loads((tmp_path / "config.json").read_text())
    theta = written["rope_parameters"]["rope_theta"]
    written["rope_parameters"] = {"rope_type": "default", "rope_theta": theta}
    (tmp_path / "config.json").write_text(json.dumps(written))
    plain = build_model(tiny.model_config(), tmp_path, None, 1)
    rotary, ordinary = model.model.rotary_emb, plain.model.rotary_emb
    scaling = tiny.ROPE[name]["scaling"]
    ratios = ordinary.inv_freq / rotary.inv_freq
    # Dynamic scaling begins where a sequence is longer than the model was made for.
    begun = scaling.get("factor", 1.0) if scaling["type"] != "dynamic" else 1.0
    assert ratios.max() == pytest.approx(begun, rel=1e-5)
    # Only linear scaling changes every frequency.
    assert (ratios.min() > 1) == (scaling["type"] == "linear")
    expected = 0.1 * math.log(scaling["factor"]) + 1 if scaling["type"] == "yarn" else 1.0
    assert rotary.attention_scaling == pytest.approx(expected)


def test_a_configuration_that_would_train_wrongly_is_refused_before_it_is_built(tmp_path: Path):
    tiny.write_config(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"attention_dropout": 0.1}))
    with pytest.raises(
        UserError, match=r"config\.json: attention_dropout = 0\.1 cannot be trained"
    ):
        build_model(tiny.model_config(), tmp_path, None, 1)
    for broken in ("{", "[]", "[" * 100_000):
        path.write_text(broken)
        with pytest.raises(UserError, match=r"config\.json: .*compile again"):
            build_model(tiny.model_config(), tmp_path, None, 1)


def test_missing_weights_are_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tiny.write_config(tmp_path)
    folder = replace(
        tiny.model_config(), weights="pretrained", source="weights", source_kind="folder"
    )
    with pytest.raises(UserError, match="there is no folder"):
        build_model(folder, tmp_path, tmp_path, 1)
    (tmp_path / "weights").mkdir()
    with pytest.raises(UserError, match="cannot be loaded"):
        build_model(folder, tmp_path, tmp_path, 1)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub = replace(folder, source="nobody/nothing", source_kind="hub")
    with pytest.raises(UserError, match="is this machine online"):
        build_model(hub, tmp_path, tmp_path, 1)


def test_weights_saved_in_a_folder_are_the_ones_trained_on(tmp_path: Path):
    tiny.write_config(tmp_path)
    saved = build_model(tiny.model_config(), tmp_path, None, 1)
    saved.save_pretrained(tmp_path / "weights")
    config = replace(
        tiny.model_config(), weights="pretrained", source="weights", source_kind="folder"
    )
    loaded = build_model(config, tmp_path, tmp_path, 2)
    for (name, ours), (_, theirs) in zip(
        saved.named_parameters(), loaded.named_parameters(), strict=True
    ):
        assert ours.equal(theirs), name
