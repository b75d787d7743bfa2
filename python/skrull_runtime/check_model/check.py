"""The check of one configuration, in the process that imports torch."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

import torch
import torch.distributed as dist
import transformers
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig

from ..errors import UserError
from ..shapes import JsonObject
from . import comparing, observing
from .decoder import text_config
from .ranks import bounded, in_a_line, on_two_ranks
from .samples import RANKS
from .shrinking import shrunk
from .traits import traits_of
from .verdict import Verdict

# Kinds of attention that differ from plain attention only in longer sequences than those of the comparison.
INDEXED = ("index_topk", "indexer_")  # how keys that are settings of it begin
MOST_PARAMETERS = 40_000_000  # of the small model


def verdict_of(config: JsonObject, notes: tuple[str, ...] = ()) -> Verdict:
    """The verdict on a configuration (a parsed ``config.json``); never raises for what a model does."""
    _quieten()
    kind = str(config.get("model_type"))
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    try:
        answer = bounded(lambda: _checked(config))
    except UserError as error:
        return Verdict(kind, False, str(error), notes=notes, versions=versions)
    return Verdict(
        answer["model_type"],
        answer["problem"] is None,
        answer["problem"],
        answer["traits"],
        answer["figures"],
        (*notes, *answer["notes"]),
        versions,
    )


def _quieten() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")


def _checked(config: JsonObject) -> JsonObject:
    text, notes = text_config(config)
    _require_known_kinds(text)
    small = _small_config(text)
    _require_small(small)
    observing.observe()
    answer: JsonObject = {"model_type": text.model_type, "notes": list(notes), "problem": None, "traits": {}, "figures": {}}  # fmt: skip
    try:
        outcome = on_two_ranks(lambda: comparing.run(small), _join)
    except Exception as error:
        return answer | {"problem": in_a_line(error), "traits": _traits(text, small)}
    traits = _traits(text, small)
    return answer | {"problem": outcome.problem, "figures": outcome.figures, "traits": traits}


def _require_known_kinds(text: PretrainedConfig) -> None:
    """Raises UserError, by name, for what the comparison might not notice or would only call different."""
    if text.is_encoder_decoder:
        raise UserError("it has an encoder besides its decoder")
    stated = text.to_dict()
    indexed = sorted(name for name, own in stated.items() if name.startswith(INDEXED) and own)
    if indexed:
        raise UserError(
            f"its attention chooses keys by an index ({indexed[0]}), which skrull does not know"
        )
    if "chunked_attention" in (stated.get("layer_types") or []):
        raise UserError(
            "its attention sees blocks of tokens (chunked_attention), which skrull does not know"
        )


def _traits(text: PretrainedConfig, small: PretrainedConfig) -> JsonObject:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(small)
    return traits_of(text, model, observing.calls())


def _small_config(text: PretrainedConfig) -> PretrainedConfig:
    """Raises UserError where the small copy is none that transformers takes."""
    values = shrunk(text.to_dict())
    kind = values.pop("model_type")
    try:
        return AutoConfig.for_model(kind, **values)
    except Exception as error:
        raise UserError(f"its small copy cannot be made ({in_a_line(error)})") from error


def _require_small(small: PretrainedConfig) -> None:
    """Raises UserError where the model cannot be made, or would be large, or drops out."""
    try:
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(small)
    except Exception as error:
        raise UserError(
            f"transformers cannot make its causal language model ({in_a_line(error)})"
        ) from error
    size = sum(own.numel() for own in model.parameters())
    if size > MOST_PARAMETERS:
        raise UserError(f"its small copy still has {size:,} parameters")
    dropping = [
        name for name, own in model.named_modules() if isinstance(own, nn.Dropout) and own.p > 0
    ]
    if dropping:
        raise UserError(
            f"it has dropout ({dropping[0]}), which ranks that share a sequence would draw differently"
        )


def _join(store: Path, rank: int) -> None:
    dist.init_process_group(
        "gloo", store=dist.FileStore(str(store), RANKS), rank=rank, world_size=RANKS
    )
