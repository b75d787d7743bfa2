"""Head and cross-entropy as one function equal PyTorch's own, whatever the chunks; in bf16 its sums are not rounded."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, linear
from transformers import AutoConfig

from skrull_runtime.data.tokens import IGNORED
from skrull_runtime.model.loss import ChunkedCrossEntropy, Logits

SIZE, VOCABULARY = 48, 101
SCALE = 0.37  # what the trainer multiplies a micro-batch's loss by


def head_of(precision: torch.dtype, bias: bool = False) -> nn.Linear:
    """An output head with weights of a usual size."""
    torch.manual_seed(3)
    return nn.Linear(SIZE, VOCABULARY, bias=bias).to(precision)


def inputs(tokens: int, precision: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden states and targets; every fifth token has none."""
    torch.manual_seed(4)
    targets = torch.randint(VOCABULARY, (tokens,))
    targets[::5] = IGNORED
    return torch.randn(tokens, SIZE).to(precision).requires_grad_(), targets


def plain(hidden: torch.Tensor, targets: torch.Tensor, head: nn.Linear) -> torch.Tensor:
    """Losses by PyTorch, all logits at once."""
    return cross_entropy(head(hidden).float(), targets, ignore_index=IGNORED, reduction="none")


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_losses_and_gradients_equal_pytorch_s(chunk: int, bias: bool):
    head, (hidden, targets) = head_of(torch.float64, bias), inputs(130, torch.float64)
    expected = cross_entropy(head(hidden), targets, ignore_index=IGNORED, reduction="none")
    wanted = torch.autograd.grad(expected.sum() * SCALE, [hidden, *head.parameters()])
    ours = head_of(torch.float32, bias)
    mine = hidden.detach().float().requires_grad_()
    total, losses = ChunkedCrossEntropy(ours, chunk)(mine, targets, SCALE / 2)
    (total * 2).backward()
    found = [mine.grad, *(parameter.grad for parameter in ours.parameters())]
    assert not losses.requires_grad
    torch.testing.assert_close(losses.double(), expected.detach(), atol=1e-5, rtol=1e-6)
    wanted_total = expected.sum().detach() * SCALE / 2
    torch.testing.assert_close(total.double(), wanted_total, atol=1e-4, rtol=1e-6)
    for own, other in zip(found, wanted, strict=True):
        assert own is not None
        torch.testing.assert_close(own.double(), other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("chunk", [7, 1000])
@pytest.mark.parametrize(("scale", "softcap"), [(0.25, 0.0), (1.0, 0.8), (3.0, 1.5)])
def test_what_a_model_does_to_its_logits_is_part_of_the_loss(
    scale: float, softcap: float, chunk: int
):
    head, (hidden, targets) = head_of(torch.float64), inputs(40, torch.float64)
    logits = head(hidden) * scale
    if softcap:
        logits = softcap * torch.tanh(logits / softcap)
    expected = cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")
    wanted = torch.autograd.grad(expected, [hidden, head.weight])
    ours, mine = head_of(torch.float32), hidden.detach().float().requires_grad_()
    total, _ = ChunkedCrossEntropy(ours, chunk, Logits(scale, softcap))(mine, targets)
    found = torch.autograd.grad(total, [mine, ours.weight])
    torch.testing.assert_close(total.double(), expected, atol=1e-4, rtol=1e-6)
    for own, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(own.double(), other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "own", "logits"),
    [
        ("llama", {}, Logits()),
        ("gemma2", {"final_logit_softcapping": 30.0}, Logits(softcap=30.0)),
        ("gemma2", {"final_logit_softcapping": None}, Logits()),
        ("granite", {"logits_scaling": 8.0}, Logits(scale=0.125)),
        ("cohere", {"logit_scale": 0.0625}, Logits(scale=0.0625)),
    ],
)
def test_a_configuration_says_what_becomes_of_logits(kind: str, own: dict, logits: Logits):
    assert Logits.of(AutoConfig.for_model(kind, **own)) == logits


def test_what_is_frozen_gets_no_gradient_and_an_evaluation_makes_none():
    head, (hidden, targets) = head_of(torch.float32), inputs(20, torch.float32)
    head.weight.requires_grad_(False)
    loss = ChunkedCrossEntropy(head, 8)
    total, losses = loss(hidden, targets)
    total.backward()
    assert head.weight.grad is None and hidden.grad is not None
    with torch.no_grad():
        again, of_tokens = loss(hidden, targets)
    assert not again.requires_grad
    assert torch.equal(of_tokens, losses) and torch.equal(again, total)


def test_tokens_without_a_target_give_gradients_of_zero():
    head, (hidden, _) = head_of(torch.float32), inputs(3, torch.float32)
    total, losses = ChunkedCrossEntropy(head, 2)(hidden, torch.full((3,), IGNORED))
    total.backward()
    assert losses.tolist() == [0, 0, 0]
    assert not head.weight.grad.any() and not hidden.grad.any()


def test_a_loss_that_is_no_number_is_that_token_s_alone():
    head, (hidden, targets) = head_of(torch.float32), inputs(9, torch.float32)
    with torch.no_grad():
        hidden[3, 0] = torch.inf
        hidden[6, 0] = torch.nan
    _, losses = ChunkedCrossEntropy(head, 4)(hidden, targets)
    assert (~torch.isfinite(losses)).nonzero().flatten().tolist() == [3, 6]


def test_the_gradient_is_taken_once():
    total, _ = ChunkedCrossEntropy(head_of(torch.float32), 4)(*inputs(9, torch.float32))
    total.backward(retain_graph=True)
    with pytest.raises((AttributeError, RuntimeError)):
        total.backward()


def test_the_weight_s_gradient_is_as_exact_over_128_chunks_as_over_one():
    """It is rounded to bf16 once, where a chain of sums in bf16 is rounded 128 times."""
    tokens, chunks = 4096, 128
    hidden, targets = inputs(tokens, torch.bfloat16)
    head = head_of(torch.bfloat16)
    exact_head = nn.Linear(SIZE, VOCABULARY, bias=False)
    exact_head.weight.data = head.weight.data.float()
    (exact,) = torch.autograd.grad(
        plain(hidden.detach().float(), targets, exact_head).sum(), exact_head.weight
    )

    def error_of(gradient: torch.Tensor) -> float:
        return float((gradient.float() - exact).norm() / exact.norm())

    def ours(chunk: int) -> float:
        total, _ = ChunkedCrossEntropy(head, chunk)(hidden, targets)
        return error_of(torch.autograd.grad(total, head.weight)[0])

    chain = sum(
        cross_entropy(linear(h, head.weight).float(), t, ignore_index=IGNORED, reduction="sum")
        for h, t in zip(
            hidden.split(tokens // chunks), targets.split(tokens // chunks), strict=True
        )
    )
    rounded_each_time = error_of(torch.autograd.grad(chain, head.weight)[0])
    one = error_of(torch.autograd.grad(plain(hidden, targets, head).sum(), head.weight)[0])
    assert ours(tokens // chunks) < 1.05 * one
    assert rounded_each_time > 4 * one
