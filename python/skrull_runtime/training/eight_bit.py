"""AdamW whose moments have 8 bits, of bitsandbytes."""

from __future__ import annotations

from typing import Any

import torch

from ..errors import UserError

BITS = "optim_bits"  # key of a group whose moments have other than 8


def adamw8bit(groups: list[dict[str, Any]], settings: dict[str, Any]) -> torch.optim.Optimizer:
    """bitsandbytes' ``AdamW8bit``: both moments of a parameter are a byte each, with an fp32 scale for every 256 of them.
    A group may say otherwise under :data:`BITS`. Moments of tensors below 4096 elements are in fp32 always.

    Under ZeRO, a tensor is a rank's flat partition of a group: blocks, and so roundings, depend on the number of ranks.
    Raises UserError where bitsandbytes is not installed.
    """
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise UserError(
            f"optimizer = adamw8bit needs bitsandbytes: pip install -r requirements.txt ({error})"
        ) from error

    class WithBitsOfGroups(AdamW8bit):  # type: ignore[misc, unused-ignore]
        def get_config(self, gindex: int, pindex: int, group: dict[str, Any]) -> dict[str, Any]:
            config: dict[str, Any] = super().get_config(gindex, pindex, group)
            return config | {BITS: group.get(BITS, config[BITS])}

    made: torch.optim.Optimizer = WithBitsOfGroups(groups, **settings)
    return made
