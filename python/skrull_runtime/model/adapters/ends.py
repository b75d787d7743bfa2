"""The embedding and the output head of a model with adapters, where peft trains them or rows of them."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import nn
from transformers import PreTrainedModel

from ...contract.records import Adapters
from ...shapes import JsonObject

ADAPTER = "default"  # peft's name for the only one


class TrainedRows(NamedTuple):
    """Rows that stand in the place of others of a frozen matrix."""

    ids: list[int]
    values: nn.Parameter  # a row each


class End(NamedTuple):
    """The module that has the weight, and the rows that are trained of it, if not all are."""

    module: nn.Module
    rows: TrainedRows | None = None


def end_of(module: nn.Module) -> End:
    """What is behind peft's wrapper of an embedding or a head, or the module itself."""
    own: Any = module
    if hasattr(own, "modules_to_save"):
        return End(own.modules_to_save[ADAPTER])
    if hasattr(own, "token_adapter"):
        return End(own.token_adapter.base_layer, rows_of(own.token_adapter))
    return End(module)


def rows_of(adapter: Any) -> TrainedRows:
    """Of peft's module of trained rows."""
    ids = list(adapter.token_indices[ADAPTER])
    return TrainedRows(ids, adapter.trainable_tokens_delta[ADAPTER])


def with_rows(weight: torch.Tensor, rows: TrainedRows | None) -> torch.Tensor:
    """A matrix with the trained rows in their places."""
    if rows is None:
        return weight
    places = torch.tensor(rows.ids, device=weight.device)
    return weight.index_copy(0, places, rows.values.to(weight.dtype))


def options_of(model: PreTrainedModel, lora: Adapters) -> JsonObject:
    """What peft is told of the ends. Tied ends are trained as one."""
    saved, rows = lora.get("modules_to_save", []), lora.get("token_rows")
    names = {"embedding": _name(model, "input"), "head": _name(model, "output")}
    tied = bool(model.all_tied_weights_keys)
    if saved:
        wanted = [names["embedding"]] if tied else [names[end] for end in dict.fromkeys(saved)]
        return {"modules_to_save": wanted, "ensure_weight_tying": tied}
    if rows is None:
        return {}
    ids = list(range(rows[0], rows[1]))
    ends = [names["embedding"]] if tied else list(names.values())
    return {"trainable_token_indices": {name: ids for name in ends}}


def _name(model: PreTrainedModel, side: str) -> str:
    end = cast(nn.Module, getattr(model, f"get_{side}_embeddings")())
    whole: str = next(name for name, own in model.named_modules() if own is end)
    return whole.rpartition(".")[2]
