"""A vocabulary with more tokens than the stored weights have rows for."""

from __future__ import annotations

import torch
from torch import nn
from transformers import PreTrainedModel


def ends_of(model: PreTrainedModel) -> tuple[str, ...]:
    """The names of parameters that have a row for every token."""
    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    owned = {id(own) for end in ends if end is not None for own in end.parameters(recurse=False)}
    named = model.named_parameters(remove_duplicate=False)
    return tuple(name for name, own in named if id(own) in owned)


def grown(stored: torch.Tensor, parameter: nn.Parameter) -> torch.Tensor:
    """The stored values, with rows after them where the parameter has more: each the mean of all that are stored, added up
    in fp64 so that the order does not matter."""
    more = parameter.shape[0] - stored.shape[0] if parameter.dim() else 0
    if more <= 0:
        return stored
    mean = stored.mean(0, keepdim=True, dtype=torch.float64).to(stored.dtype)
    return torch.cat((stored, mean.expand(more, *stored.shape[1:])))
