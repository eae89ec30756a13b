"""What is known about the symbols of a net, proofs from it, and the net's valid domain.

A question over symbolic sizes is settled by cases. Let M be a common multiple of the floors'
divisors; writing H = M t + r for each residue r turns every floor into a polynomial in t (the
quasi-polynomials of Stanley, Enumerative Combinatorics I, section 4.4). With H measured from its
lower bound, t runs from 0 up, and a polynomial is bounded term by term. What is proved holds for
all values of the symbols; what is not proved stays open.
"""

from __future__ import annotations

from compiler.domain.conditions import Condition, Contradiction
from compiler.domain.facts import Facts
from compiler.domain.valid import Domain, valid_domain

__all__ = ["Condition", "Contradiction", "Domain", "Facts", "valid_domain"]
