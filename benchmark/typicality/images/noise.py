"""Noise: white, coloured, and with structure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from benchmark.typicality.images.odd import Grey, OddImage

SIDE = 512
_Random = np.random.Generator


def noise(each: int, seed: int) -> Iterator[OddImage]:
    """Yield ``each`` images of every kind of noise."""
    random = np.random.default_rng([seed, 0])
    for kind, draw in _KINDS.items():
        for _ in range(each):
            yield OddImage("noise", kind, draw(random))


def _white(random: _Random) -> Grey:
    return _grey(random.random((SIDE, SIDE)))


def _coloured(random: _Random) -> Grey:
    """Return a Gaussian field whose power falls with frequency to the power of 1 to 3."""
    exponent = random.uniform(1, 3)
    squared = np.fft.fftfreq(SIDE)[:, None] ** 2 + np.fft.rfftfreq(SIDE)[None] ** 2
    squared[0, 0] = 1.0
    spectrum = np.fft.rfft2(random.standard_normal((SIDE, SIDE))) * squared ** (-exponent / 4)
    field = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    low, high = np.percentile(field, [1, 99])
    return _grey((field - low) / (high - low))


def _waves(random: _Random) -> Grey:
    """Return waves in one direction or two, with a little white noise."""
    y, x = np.mgrid[:SIDE, :SIDE]
    period, angle = random.uniform(4, 64), random.uniform(0, np.pi)
    along, across = (x * np.cos(angle) + y * np.sin(angle)), (x * np.sin(angle) - y * np.cos(angle))
    waves = np.sin(2 * np.pi * along / period)
    if random.random() < 0.5:
        waves = waves * np.sin(2 * np.pi * across / period)
    return _grey(0.5 + waves / 2 + random.normal(0, 0.1, waves.shape))


def _blocks(random: _Random) -> Grey:
    """Return squares of 4 to 32 pixels, each of a grey of its own."""
    side = int(random.choice([4, 8, 16, 32]))
    grey = random.random((SIDE // side, SIDE // side))
    return _grey(grey.repeat(side, axis=0).repeat(side, axis=1))


def _specks(random: _Random) -> Grey:
    """Return white pixels, 1 to 30 % of all, on black."""
    return _grey(random.random((SIDE, SIDE)) < random.uniform(0.01, 0.3))


def _grey(values: NDArray[np.float64] | NDArray[np.bool_]) -> Grey:
    """Return values in grey: 0 and below is black, 1 and above white."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


_KINDS: dict[str, Callable[[_Random], Grey]] = {
    "white noise": _white,
    "coloured noise": _coloured,
    "waves": _waves,
    "blocks": _blocks,
    "specks": _specks,
}
