"""What was measured: a file in the package, which ``hmar bench size`` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from hmar.errors import ConfigError
from hmar.sizing.fit import Point

FILE = "figures.json"
FORMAT = 2
REMEDY = "Install hmar-search again, or write the file anew with 'hmar bench size'."


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure comes from.

    Parameters
    ----------
    commit : str or None
        Of the program that was measured.
    processor : str
        Of the machine, with its number of threads.
    time : str
        When, ISO 8601.
    """

    commit: str | None
    processor: str
    time: str

    def to_dict(self) -> dict[str, str | None]:
        """Return it for JSON."""
        return {"commit": self.commit, "processor": self.processor, "time": self.time}


@dataclass(frozen=True, slots=True)
class Scan:
    """The time of a search on a number of threads: of one query with so many windows, at so many bits."""

    threads: int
    bits: int
    query_windows: int
    p50_ms: Point


@dataclass(frozen=True, slots=True)
class FastScan:
    """The time of a fast search, and what it found.

    Parameters
    ----------
    scan : Scan
    hits : int
        How many were asked for.
    recall : float
        Share, from 0 to 1, of as many nearest frames that were among them: the mean over queries.
    """

    scan: Scan
    hits: int
    recall: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, and where.

    Parameters
    ----------
    constants : mapping of str to (float, float, float)
        Value, low and high of what does not grow with the archive.
    growing : mapping of str to sequence of Point
        What does.
    scans : sequence of Scan
        Exact searches.
    fast : sequence of FastScan
        Fast ones, of archives that are large enough for them.
    sources : sequence of Source
    """

    constants: Mapping[str, tuple[float, float, float]]
    growing: Mapping[str, Sequence[Point]]
    scans: Sequence[Scan]
    fast: Sequence[FastScan]
    sources: Sequence[Source]

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Figures:
        """Return the figures that a file holds.

        Raises
        ------
        ConfigError
            If it is no such file.
        """
        try:
            if told["format"] != FORMAT:
                raise ValueError(told["format"])
            return cls(
                {
                    name: (float(v), float(low), float(high))
                    for name, (v, low, high) in told["constants"].items()
                },
                {name: [_point(one) for one in points] for name, points in told["growing"].items()},
                [_scan(one) for one in told["scans"]],
                [FastScan(_scan(one[2:]), int(one[0]), float(one[1])) for one in told["fast"]],
                [Source(one["commit"], str(one["processor"]), str(one["time"])) for one in told["sources"]],
            )
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(
                f"{FILE} holds no measured figures ({type(error).__name__}).", REMEDY
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as a file holds them."""
        return {
            "format": FORMAT,
            "constants": {name: list(values) for name, values in sorted(self.constants.items())},
            "growing": {name: [list(one) for one in points] for name, points in sorted(self.growing.items())},
            "scans": [_listed(one) for one in self.scans],
            "fast": [[one.hits, one.recall, *_listed(one.scan)] for one in self.fast],
            "sources": [source.to_dict() for source in self.sources],
        }


def shipped_figures() -> Figures:
    """Return the figures that come with the product; raises ConfigError if the file is damaged."""
    try:
        text = resources.files(__package__).joinpath(FILE).read_text("utf-8")
        return Figures.from_dict(json.loads(text))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{FILE} cannot be read ({type(error).__name__}).", REMEDY) from error


def _point(numbers: Sequence[float]) -> Point:
    frames, windows, value = numbers
    return Point(int(frames), int(windows), float(value))


def _scan(numbers: Sequence[float]) -> Scan:
    threads, bits, query_windows, *point = numbers
    return Scan(int(threads), int(bits), int(query_windows), _point(point))


def _listed(scan: Scan) -> list[float]:
    return [scan.threads, scan.bits, scan.query_windows, *scan.p50_ms]
