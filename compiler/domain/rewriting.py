"""Sizes solved for a symbol, and written in symbols again after a change of counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd, prod

from compiler.dims import Floor, Size, symbol, symbols
from compiler.domain.conditions import Contradiction
from compiler.domain.progressions import Progression

MOST_DIVISORS = 4096  # tried for a common one


def remainder(name: str, size: Size) -> tuple[int, int] | None:
    """The (m, r) for which `size` is 0 just where the symbol leaves r by m, as in H % m - r.

    Raises `Contradiction` for an r that no number leaves.

    >>> H = symbol("H")
    >>> remainder("H", (H + 3) % 16000 - 1)
    (16000, 15998)
    """
    if isinstance(size, int):
        return None
    for floor, coefficient in ((m[0], c) for m, c in size.terms if m and isinstance(m[0], Floor)):
        shift, modulus = floor.numerator - symbol(name), floor.divisor
        left = floor.numerator % modulus - (size if coefficient < 0 else -size)
        if isinstance(shift, int) and isinstance(left, int):
            if not 0 <= left < modulus:
                raise Contradiction("no value is left")
            return modulus, (left - shift) % modulus
    return None


def solve(size: Size) -> tuple[str, Size] | None:
    """A symbol and its value where `size` is 0, when a symbol stands by itself in it."""
    if isinstance(size, int):
        return None
    for monomial, coefficient in reversed(size.terms):
        if len(monomial) == 1 and isinstance(monomial[0], str) and abs(coefficient) == 1:
            rest = size - coefficient * symbol(monomial[0])
            if monomial[0] not in symbols(rest):
                return monomial[0], -coefficient * rest
    return None


def restored(size: Size, periodic: Mapping[str, Progression]) -> Size:
    """A size in counters t, H = m t + r, written in the symbols again.

    A factor g of m goes with each counter: g t = floor(H s/m) - floor(r s/m) for s = m/g, which
    is H - r for g = m. Counters of one term take the same s where they can.
    """
    if isinstance(size, int):
        return size
    result: Size = 0
    for monomial, coefficient in size.terms:
        term: Size = 1
        counters: list[Progression] = []
        names: list[str] = []
        for atom in monomial:
            if isinstance(atom, Floor):
                term = term * (restored(atom.numerator, periodic) // atom.divisor)
            elif atom in periodic:
                counters.append(periodic[atom])
                names.append(atom)
            else:
                term = term * symbol(atom)
        shared = shared_divisor([c.step for c in counters], coefficient)
        for name, counter in zip(names, counters, strict=True):
            factor = counter.step // shared if shared else gcd(coefficient, counter.step)
            coefficient //= factor
            divisor = counter.step // factor
            term = term * (symbol(name) // divisor - counter.residue // divisor)
        result = result + term * coefficient
    return result


def shared_divisor(moduli: Sequence[int], coefficient: int) -> int | None:
    """The least s for which the product of all m/s divides the coefficient.

    Of several moduli a large common one is not searched through.
    """
    common = gcd(*moduli)
    if len(moduli) == 1:
        return common // gcd(common, coefficient)
    for divisor in range(1, min(common, MOST_DIVISORS) + 1):
        if common % divisor == 0 and coefficient % prod(m // divisor for m in moduli) == 0:
            return divisor
    return None
