"""The rows of the benchmark, kept as JSON lines with their provenance."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmark.provenance.machine import cores, processor
from hmar import __version__
from hmar.values.plain import finite_json

_PACKAGES = ("numpy", "scipy", "torch", "onnxruntime", "faiss-cpu", "pillow", "pydicom", "pykan")
_REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a peer at a code length under a protocol, over its seeds.

    Parameters
    ----------
    name, dataset, protocol : str
        Protocol is "clean", "acir-compat", "unseen", or "quoted" for figures that a paper reports.
    bits : int
        Length of the code; 0 for descriptors of floats, whose number is ``floats``.
    metric : str
        What ``macro_map`` and ``micro_map`` mean: denominator, ranks, tie rule.
    macro_map, micro_map, p_at_1, p_at_5, p_at_10, recall_at_10 : float or None
        Of the mean over seeds of each query's figure; macro is the mean over classes, the others besides
        ``macro_map`` are means over queries. None where a paper does not say.
    ci95 : tuple of float or None
        Bounds of ``macro_map``: queries resampled by groups, seeds not.
    sd : float or None
        Standard deviation of ``macro_map`` over seeds, n - 1; None for one.
    difference_to_linear : tuple of float or None
        Mean, low and high of the paired difference of ``macro_map`` to the linear peer of the same code
        length, for floats to that of the longest; None where it was not run, and for the linear peer.
    per_class : mapping of str to float
    balance, worst_balance, correlation, effective_bits, distinct : float or None
        How the gallery's codes use their bits, mean over seeds; see
        :class:`benchmark.metrics.code_health.CodeHealth`.
    precision_radius_2, recall_radius_2 : float or None
        Within a Hamming radius of 2, means over queries and seeds.
    pr_curve : tuple of (float, float)
        Recall and precision by rank, mean over seeds.
    queries, gallery, without_relevant : int
        ``without_relevant`` queries have nothing to find: they are among ``queries``, and in no mean.
    duplicates : mapping
        Queries with an ``exact`` or ``near`` duplicate among the images of the other splits.
    seeds : int
        How many were run; 1 for peers that do not learn.
    fit_seconds : float or None
        Mean over seeds; on this machine, under whatever load it had.
    data, features : str
        Hash of the data set and its split; version of the features and weights of the backbone.
    source : str
        The paper of a quoted figure.
    """

    name: str
    dataset: str
    protocol: str
    bits: int
    metric: str
    macro_map: float | None
    micro_map: float | None
    p_at_1: float | None = None
    p_at_5: float | None = None
    p_at_10: float | None = None
    recall_at_10: float | None = None
    ci95: tuple[float, float] | None = None
    sd: float | None = None
    difference_to_linear: tuple[float, float, float] | None = None
    per_class: Mapping[str, float] = field(default_factory=dict)
    balance: float | None = None
    worst_balance: float | None = None
    correlation: float | None = None
    effective_bits: float | None = None
    distinct: float | None = None
    precision_radius_2: float | None = None
    recall_radius_2: float | None = None
    pr_curve: tuple[tuple[float, float], ...] = ()
    queries: int = 0
    gallery: int = 0
    without_relevant: int = 0
    duplicates: Mapping[str, int] = field(default_factory=dict)
    seeds: int = 1
    floats: int = 0
    fit_seconds: float | None = None
    data: str = ""
    features: str = ""
    source: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the row for JSON: a figure that is not a number becomes None."""
        plain: dict[str, Any] = finite_json(asdict(self))
        return plain


_AS_PUBLISHED = "as published: mAP@100 over hits found, random split by image"
QUOTED = tuple(
    Row(name, "radimagenet-ct", "quoted", bits, _AS_PUBLISHED, None, value, source=source)
    for name, bits, value, source in (
        ("hmar", 64, 0.711, "arXiv 2603.16679"),
        ("hmar", 128, 0.724, "arXiv 2603.16679"),
        ("acir", 64, 0.704, "arXiv 2503.09370, by the difference that arXiv 2603.16679 reports"),
        ("acir", 128, 0.713, "arXiv 2503.09370, by the difference that arXiv 2603.16679 reports"),
    )
)
"""What the papers report of RadImageNet-CT. Nothing of it was measured here."""


def environment(threads: int, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what figures depend on besides the data; call it when a run begins.

    Parameters
    ----------
    threads : int
        Of torch.
    config : mapping, optional
        The arguments of the run, and what follows from them.

    Returns
    -------
    dict
        ``time`` (UTC), ``commit`` (of this source; None outside its own checkout), ``machine``, ``versions``,
        ``threads`` and ``config``.
    """
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {"processor": processor(), "cores": cores(), "system": platform.platform()},
        "versions": {"hmar": __version__, "python": platform.python_version()} | _versions(),
        "threads": threads,
        "config": dict(config or {}),
    }


def append_results(path: Path, rows: Sequence[Mapping[str, Any]], environment: Mapping[str, Any]) -> None:
    """Append rows to a file of JSON lines, each with its environment.

    Parameters
    ----------
    path : Path
        Created where needed, with its folder.
    rows : sequence of mapping
        As :meth:`Row.to_dict` makes them; of any shape, for each part of the benchmark has its own.
    environment : mapping
        As :func:`environment` makes it.
    """
    lines = [
        json.dumps(finite_json({**row, "environment": environment}), allow_nan=False, default=float)
        for row in rows
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write("".join(f"{line}\n" for line in lines))


def _commit() -> str | None:
    """Return the commit of this source, marked where files differ from it; None outside its own checkout."""
    top = _git("rev-parse", "--show-toplevel")
    # A package that is installed inside another project's checkout does not have that project's commit.
    if top is None or Path(top).resolve() != _REPOSITORY.resolve():
        return None
    commit, changed = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")
    return f"{commit}, altered" if commit and changed else commit


def _git(*arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(_REPOSITORY), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return run.stdout.strip() if run.returncode == 0 else None


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
