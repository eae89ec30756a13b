"""Sizes as a definition writes them."""

from __future__ import annotations

from compiler.dims import Atom, Size, sum_text


def source_text(size: Size) -> str:
    """A size as a definition writes it.

    >>> from compiler.dims import symbol
    >>> source_text((symbol("H") - 1) // 2 + 1)
    '((H - 1) // 2) + 1'
    """
    return str(size) if isinstance(size, int) else sum_text(size, _atom_source)


def _atom_source(atom: Atom) -> str:
    if isinstance(atom, str):
        return atom
    inner = source_text(atom.numerator)
    return f"(({inner}) // {atom.divisor})" if " " in inner else f"({inner} // {atom.divisor})"
