"""Which samples each global batch holds: the same numbers as the compiler's ``src/foundation/random.ts``.

32-bit integer operations only, so that both languages agree bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable

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
    """A uniform integer from 0 to ``bound - 1``; draws again where a remainder would favour small ones."""
    limit = 2**32 - 2**32 % bound
    while (value := draw()) >= limit:
        pass
    return value % bound


def epoch_permutation(count: int, seed: int, epoch: int) -> list[int]:
    """Order of ``count`` samples in an epoch (Fisher and Yates)."""
    draw = random32(seed, epoch)
    order = list(range(count))
    for last in range(count - 1, 0, -1):
        other = random_below(draw, last + 1)
        order[last], order[other] = order[other], order[last]
    return order


def global_batches(count: int, size: int, seed: int, epoch: int) -> list[list[int]]:
    """Global batches of an epoch, as sample indices; the last may be smaller.

    They depend on seed, epoch and size only, never on the topology, so a run may go on with other ranks.
    """
    order = epoch_permutation(count, seed, epoch)
    return [order[start : start + size] for start in range(0, count, size)]
