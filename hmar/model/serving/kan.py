"""A folded KAN layer in numpy: its splines as polynomials and truncated powers.

A spline of order k is one polynomial between two knots, and at every knot a term is added: a multiple of the
distance beyond the knot, to the power k (de Boor, A Practical Guide to Splines, ch. VIII). Starting from the
polynomial of the middle interval, with terms that grow outwards, no large numbers cancel where inputs are
dense; and each term takes a few passes over the inputs, where the B-spline basis takes a recursion.
"""

from __future__ import annotations

from math import comb, factorial

import numpy as np
from numpy.typing import NDArray

from hmar.errors import ModelError
from hmar.values.frames import FloatArray

_ROWS, _BLOCKS = 64, 8
"""Rows whose terms are computed at a time, which fit the processor's cache; and how many of such blocks are
multiplied at a time, since long matrix products are faster."""

_EVEN = 1e-4
"""Tolerance of a knot's position, in steps of the grid."""

Exact = NDArray[np.float64]


class ServedKAN:
    """``y = SiLU(x) W_base + B(x) W_spline`` as :class:`hmar.model.kan.FoldedKAN`, on evenly spaced knots.

    Parameters
    ----------
    knots : ndarray, shape (I, G + 2 k + 1)
        Knots of each input, those beyond the grid on both sides included.
    base : ndarray, shape (I, O)
    spline : ndarray, shape (I, G + k, O)

    Raises
    ------
    ModelError
        If the knots of an input are not evenly spaced.
    """

    def __init__(self, knots: FloatArray, base: FloatArray, spline: FloatArray) -> None:
        count = knots.shape[1]
        self._order = count - 1 - spline.shape[1]
        self._spline = spline
        step, first = _even(knots)
        middle = (count - 1) // 2
        # Inputs are measured in steps of the grid, from the middle of the middle interval.
        at = np.arange(count, dtype=np.float32) - np.float32(middle + 0.5)
        self._first = float(at[0])
        self._scale = np.asarray(1 / step, np.float32)
        self._shift = np.asarray(at[0] - first / step, np.float32)
        self._low, self._high = at[self._order], at[-1 - self._order]
        self._begins = at[self._order + 1 : -1 - self._order]
        powers = _polynomial(self._order, middle, spline)
        terms = [_term(self._order, int(np.searchsorted(at, begin)), begin, spline) for begin in self._begins]
        self._constant = np.asarray(powers[0].sum(axis=0), np.float32)  # (O,)
        self._weight = np.concatenate([base, *powers[1:], *terms]).astype(np.float32)

    def __call__(self, x: FloatArray) -> FloatArray:
        """Map inputs (N, I) to outputs (N, O)."""
        length = _ROWS * _BLOCKS
        terms = np.empty((min(len(x), length), len(self._weight)), np.float32)
        parts = [self._block(x[begin : begin + length], terms) for begin in range(0, len(x), length)]
        return np.concatenate(parts) if parts else np.empty((0, self._weight.shape[1]), np.float32)

    def _block(self, x: FloatArray, scratch: FloatArray) -> FloatArray:
        terms = scratch[: len(x)]
        steps = x * self._scale + self._shift
        inside = np.clip(steps, self._low, self._high)
        for begin in range(0, len(x), _ROWS):
            rows = slice(begin, begin + _ROWS)
            self._fill(
                terms[rows].reshape(-1, terms.shape[1] // x.shape[1], x.shape[1]), x[rows], inside[rows]
            )
        outputs: FloatArray = terms @ self._weight
        outputs += self._constant
        self._add_outside(outputs, steps, inside)
        return outputs

    def _fill(self, terms: FloatArray, x: FloatArray, steps: FloatArray) -> None:
        """Fill (n, 1 + k + knots, I): SiLU, powers, and distances beyond the knots to the power k."""
        terms[:, 0] = silu(x)
        terms[:, 1] = steps
        for power in range(2, self._order + 1):
            np.multiply(terms[:, power - 1], steps, out=terms[:, power])
        for term, begin in enumerate(self._begins, start=1 + self._order):
            beyond = begin - steps if begin < 0 else steps - begin
            np.maximum(beyond, 0, out=beyond)
            raised = np.ones_like(beyond) if self._order == 1 else beyond
            for _ in range(self._order - 2):
                raised = raised * beyond
            np.multiply(raised, beyond, out=terms[:, term])

    def _add_outside(self, outputs: FloatArray, steps: FloatArray, inside: FloatArray) -> None:
        """Correct the few inputs beyond the grid: replace the splines' values at its ends by their own."""
        places = np.flatnonzero(steps != inside)
        if len(places):
            rows, inputs = np.divmod(places, steps.shape[1])
            change = self._basis(steps[rows, inputs]) - self._basis(inside[rows, inputs])  # (E, G + k)
            np.add.at(outputs, rows, np.matmul(change[:, None], self._spline[inputs])[:, 0])

    def _basis(self, steps: FloatArray) -> FloatArray:
        """Evaluate the B-splines (E, G + k) at inputs (E,), 0 beyond the last knots."""
        half = (self._order + 1) / 2
        centres = self._first + half + np.arange(self._spline.shape[1])
        distance = np.abs(steps[:, None] - centres)
        jumps = _jumps(self._order)
        pieces = (
            jumps[i] * np.clip(half - i - distance, 0, None) ** self._order for i in range(int(half + 0.5))
        )
        return np.asarray(sum(pieces), np.float32)


def silu(x: FloatArray) -> FloatArray:
    """Return x / (1 + exp(-x)), and the limit 0 where the exponential overflows."""
    with np.errstate(over="ignore"):
        y: FloatArray = x / (1 + np.exp(-x))
    return y


def _even(knots: FloatArray) -> tuple[Exact, Exact]:
    """Return the distance between knots and the first knot of each input."""
    exact = knots.astype(np.float64)
    first, last = exact[:, :1], exact[:, -1:]
    step = (last - first) / (knots.shape[1] - 1)
    if not (step > 0).all() or not np.allclose(np.diff(exact) / step, 1, rtol=0, atol=_EVEN):
        raise ModelError(
            "The knots of a KAN layer are not evenly spaced.", "Train with a grid that is not updated."
        )
    return step[:, 0], first[:, 0]


def _jumps(order: int) -> Exact:
    """Return the jumps of a B-spline's k-th derivative at its knots, divided by k factorial."""
    signs = [(-1) ** i * comb(order + 1, i) for i in range(order + 2)]
    return np.array(signs, np.float64) / factorial(order)


def _polynomial(order: int, middle: int, spline: FloatArray) -> Exact:
    """Return the coefficients (k + 1, I, O), constant first, of the polynomial on the middle interval."""
    jumps = _jumps(order)
    weights = np.zeros((order + 1, spline.shape[1]))
    for j in range(max(0, middle - order), min(middle + 1, spline.shape[1])):
        for i in range(middle - j + 1):
            begun = middle + 0.5 - j - i  # how far beyond its knot the middle lies
            for power in range(order + 1):
                weights[power, j] += jumps[i] * comb(order, power) * begun ** (order - power)
    powers: Exact = np.einsum("pj,ijo->pio", weights, spline.astype(np.float64))
    return powers


def _term(order: int, knot: int, begin: float, spline: FloatArray) -> Exact:
    """Return the coefficients (I, O) of the term that begins at a knot, growing away from the middle."""
    jumps = _jumps(order)
    splines = range(max(0, knot - order - 1), min(knot + 1, spline.shape[1]))
    total = sum(jumps[knot - j] * spline[:, j].astype(np.float64) for j in splines)
    return np.asarray(total if begin > 0 else (-1) ** (order + 1) * np.asarray(total))
