"""Which samples each global batch holds: the same numbers as the compiler's ``src/foundation/{random,global-batches}.ts``.

Random numbers use 32-bit integer operations only, so that both languages agree bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..contract.limits import FIRST_SHARE_STREAM

MASK = 0xFFFFFFFF


def _rotate_left(x: int, by: int) -> int:
    return ((x << by) | (x >> (32 - by))) & MASK


def _mix(x: int) -> int:
    """Finaliser of MurmurHash3: every bit of the input moves every bit of the output."""
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & MASK
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & MASK
    return x ^ (x >> 16)


def random32(seed: int, stream: int) -> Callable[[], int]:
    """A generator of 32-bit integers: xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it).

    ``seed`` is 0 to 2**53 - 1; another ``stream``, such as an epoch, gives unrelated numbers.
    """
    value = 0x9E3779B9

    def absorb(word: int) -> int:
        nonlocal value
        value = _mix((value + word + 0x9E3779B9) & MASK)
        return value

    for word in (seed & MASK, seed >> 32, stream & MASK, stream >> 32):
        absorb(word)
    state = [absorb(1), absorb(2), absorb(3), absorb(4)]
    if not any(state):
        state[0] = 1

    def draw() -> int:
        result = (_rotate_left((state[1] * 5) & MASK, 7) * 9) & MASK
        shifted = (state[1] << 9) & MASK
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= shifted
        state[3] = _rotate_left(state[3], 11)
        return result

    return draw


def random_below(draw: Callable[[], int], bound: int) -> int:
    """A uniform integer from 0 to ``bound - 1``; draws again where a remainder would favour small numbers."""
    limit = 2**32 - 2**32 % bound
    while (value := draw()) >= limit:
        pass
    return value % bound


def epoch_permutation(count: int, seed: int, epoch: int) -> list[int]:
    """The order of ``count`` samples in an epoch (Fisher-Yates)."""
    draw = random32(seed, epoch)
    order = list(range(count))
    for last in range(count - 1, 0, -1):
        other = random_below(draw, last + 1)
        order[last], order[other] = order[other], order[last]
    return order


Mixture = Sequence[Sequence[int]]


def epoch_samples(count: int, seed: int, epoch: int, mixture: Mixture) -> list[int]:
    """The samples of an epoch, with repetitions, before they are shuffled.

    A mixture is a list of shares. Each is a number of consecutive samples and how many draws of them an epoch makes:
    whole copies first, and for the rest the next stretch of one fixed order, epoch by epoch. Without a mixture, every
    sample comes once.
    """
    if not mixture:
        return list(range(count))
    drawn: list[int] = []
    first = 0
    for share, (samples, draws) in enumerate(mixture):
        if samples:
            copies, rest = divmod(draws, samples)
            drawn += [*range(first, first + samples)] * copies
            order = epoch_permutation(samples, seed, FIRST_SHARE_STREAM + share)
            start = epoch * rest % samples
            drawn += [first + order[(start + n) % samples] for n in range(rest)]
        first += samples
    return drawn


def epoch_size(count: int, mixture: Mixture) -> int:
    """Samples that an epoch trains, repetitions counted."""
    return sum(draws for _, draws in mixture) if mixture else count


def global_batches(
    count: int, size: int, seed: int, epoch: int, mixture: Mixture = ()
) -> list[list[int]]:
    """The global batches of an epoch, as sample indices; the last may be smaller.

    They depend on the samples, seed, epoch and size only, never on the topology, so a run may resume on another number of
    ranks.
    """
    drawn = epoch_samples(count, seed, epoch, mixture)
    order = [drawn[place] for place in epoch_permutation(len(drawn), seed, epoch)]
    return [order[start : start + size] for start in range(0, len(order), size)]
