"""PyTorch's scaled dot product attention, segment by segment: for CPU runs, and for GPUs only where asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch.nn.functional import scaled_dot_product_attention

from ...batches.segments import Segments
from .kernel import Masking

QUERY_BLOCK = 512  # rows of a mask, whose size would otherwise be quadratic in the length
_forward_on_cpu = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_backward_on_cpu = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # query, key and value


@dataclass(frozen=True)
class _Block:
    """Queries of a segment that share a mask: rows and columns within its queries and keys."""

    rows: slice
    columns: slice
    causal: bool  # square, and without a window that any query reaches
    before: int  # keys before the first query of the segment

    def of(self, tensors: Inputs) -> Inputs:
        """The block's part of a segment's query, key and value, all ``[1, heads, length, D]``."""
        q, k, v = tensors
        return q[:, :, self.rows], k[:, :, self.columns], v[:, :, self.columns]

    def mask(self, window: int | None, q: torch.Tensor) -> torch.Tensor | None:
        """What to add to the products ``[rows, columns]``: 0 or minus infinity. None where the operator's own mask does."""
        if self.causal:
            return None
        rows = torch.arange(self.rows.start, self.rows.stop, device=q.device) + self.before
        columns = torch.arange(self.columns.start, self.columns.stop, device=q.device)
        hidden = columns > rows.unsqueeze(1)
        if window is not None:
            hidden |= columns <= rows.unsqueeze(1) - window
        zero = torch.zeros(hidden.shape, dtype=q.dtype, device=q.device)
        return zero.masked_fill_(hidden, float("-inf"))


def _blocks(length: int, known: int, window: int | None) -> Iterator[_Block]:
    before = known - length
    if before == 0 and (window is None or known <= window):
        yield _Block(slice(0, length), slice(0, known), True, 0)
        return
    for start in range(0, length, QUERY_BLOCK):
        end = min(start + QUERY_BLOCK, length)
        first = 0 if window is None else max(0, before + start - window + 1)
        yield _Block(slice(start, end), slice(first, before + end), False, before)


def _heads_first(tensors: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    """Segments ``[length, heads, D]`` as ``[1, heads, length, D]``."""
    return [tensor.transpose(0, 1).unsqueeze(0) for tensor in tensors]


def _tokens_first(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.squeeze(0).transpose(0, 1)


class SdpaKernel:
    """On a CPU, the operator that PyTorch itself chooses there; elsewhere PyTorch's choice, with a recomputing backward."""

    name = "sdpa"

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: Segments, mask: Masking
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """See :class:`.kernel.Kernel`. The log-sum-exp is a list, block by block."""
        outputs, rest = [], []
        for own in _split(q, k, v, segments):
            for block in _blocks(own[0].shape[2], own[1].shape[2], mask.window):
                output, sums = _attend(*block.of(own), block, mask)
                outputs.append(_tokens_first(output))
                rest.append(sums)
        return torch.cat(outputs), rest

    def backward(
        self,
        gradient: torch.Tensor,
        inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
        made: tuple[torch.Tensor, list[torch.Tensor]],
        segments: Segments,
        mask: Masking,
        into: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    ) -> None:
        """See :class:`.kernel.Kernel`."""
        output, rest = made
        sums = iter(rest)
        queries = [_heads_first(each.split(list(segments.queries))) for each in (gradient, output)]
        parts = zip(_split(*inputs, segments), _split(*into, segments), *queries, strict=True)
        for own, targets, own_gradient, own_output in parts:
            blocks = list(_blocks(own[0].shape[2], own[1].shape[2], mask.window))
            whole = blocks[0].columns == slice(0, own[1].shape[2]) and len(blocks) == 1
            for target in () if whole else targets[1:]:
                target.zero_()
            for block in blocks:
                rows = block.rows
                known = own_output[:, :, rows], next(sums)
                found = _differentiate(own_gradient[:, :, rows], block.of(own), known, block, mask)
                to_q, *others = block.of(targets)
                to_q.copy_(found[0])
                for target, part in zip(others, found[1:], strict=True):
                    target.copy_(part) if whole else target.add_(part)


def _split(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: Segments
) -> Iterator[Inputs]:
    queries, keys = list(segments.queries), list(segments.keys)
    parts = (_heads_first(each.split(n)) for each, n in ((q, queries), (k, keys), (v, keys)))
    yield from zip(*parts, strict=True)


def _takes(q: torch.Tensor, v: torch.Tensor, mask: Masking) -> bool:
    """Whether the CPU's operator supports such tensors and products."""
    return q.device.type == "cpu" and q.shape[-1] == v.shape[-1] and not mask.softcap


def _attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, block: _Block, mask: Masking
) -> tuple[torch.Tensor, torch.Tensor]:
    added = block.mask(mask.window, q)
    if _takes(q, v, mask):
        made: tuple[torch.Tensor, torch.Tensor] = _forward_on_cpu(
            q, k, v, 0.0, block.causal, attn_mask=added, scale=mask.scaling
        )
        return made
    if _by_definition(q, mask):
        products, _ = _products(q, k, block, mask)
        sums = products.logsumexp(3)
        return _grouped((products - sums.unsqueeze(3)).exp().to(q.dtype), v), sums
    return _plain(q, k, v, added, mask), q.new_empty(0)


def _by_definition(q: torch.Tensor, mask: Masking) -> bool:
    """Whether no operator of PyTorch does what is asked for: it has no softcap, and on a CPU gives no log-sum-exp where
    values are of another width than keys."""
    return bool(mask.softcap) or q.device.type == "cpu"


def _products(
    q: torch.Tensor, k: torch.Tensor, block: _Block, mask: Masking
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The block's products ``[1, H, rows, columns]`` in at least fp32, minus infinity where a query sees no key; and the
    slope of their softcap, if they have one."""
    products = _grouped(q, k.transpose(2, 3)) * mask.scaling
    slope = None
    if mask.softcap:
        bent = torch.tanh(products / mask.softcap)
        products, slope = bent * mask.softcap, 1 - bent * bent
    hidden = replace(block, causal=False).mask(mask.window, q)
    assert hidden is not None
    return products.to(torch.promote_types(q.dtype, torch.float32)) + hidden, slope


def _grouped(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The products of ``[1, H, ...]`` and ``[1, H_kv, ...]``, each head of the latter with H / H_kv of the former."""
    heads = left.unflatten(1, (right.shape[1], -1))
    product: torch.Tensor = (heads @ right.unsqueeze(2)).flatten(1, 2)
    return product


def _backward_by_definition(
    gradient: torch.Tensor,
    inputs: Inputs,
    made: tuple[torch.Tensor, torch.Tensor],
    block: _Block,
    mask: Masking,
) -> tuple[torch.Tensor, ...]:
    """The gradients of query, key and value, from the output and its log-sum-exp: either may have a sink in it."""
    q, k, v = inputs
    output, sums = made
    products, slope = _products(q, k, block, mask)
    weights = (products - sums.unsqueeze(3)).exp().to(q.dtype)
    of_weights = _grouped(gradient, v.transpose(2, 3))
    of_products = weights * (of_weights - (gradient * output).sum(3, keepdim=True)) * mask.scaling
    if slope is not None:
        of_products = of_products * slope
    by_key_head = [
        own.unflatten(1, (k.shape[1], -1)) for own in (of_products, q, weights, gradient)
    ]
    of_k = (by_key_head[0].transpose(3, 4) @ by_key_head[1]).sum(2)
    of_v = (by_key_head[2].transpose(3, 4) @ by_key_head[3]).sum(2)
    return _grouped(of_products, k), of_k, of_v


def _plain(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, added: torch.Tensor | None, mask: Masking
) -> torch.Tensor:
    return scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=added,
        is_causal=added is None,
        scale=mask.scaling,
        enable_gqa=q.shape[1] != k.shape[1],
    )


def _differentiate(
    gradient: torch.Tensor,
    inputs: Inputs,
    made: tuple[torch.Tensor, torch.Tensor],
    block: _Block,
    mask: Masking,
) -> tuple[torch.Tensor, ...]:
    added = block.mask(mask.window, inputs[0])
    if _takes(inputs[0], inputs[2], mask):
        found: tuple[torch.Tensor, ...] = _backward_on_cpu(
            gradient, *inputs, *made, 0.0, block.causal, attn_mask=added, scale=mask.scaling
        )
        return found
    if _by_definition(inputs[0], mask):
        return _backward_by_definition(gradient, inputs, made, block, mask)
    with torch.enable_grad():
        leaves = [each.detach().requires_grad_() for each in inputs]
        output = _plain(leaves[0], leaves[1], leaves[2], added, mask)
        return torch.autograd.grad(output, leaves, gradient)
