"""``hmar bench series``: from labelled scans to rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.region.data import all_digest, check_files, fetch_region_data
from benchmark.region.run import code_lengths_of
from benchmark.region.volumes import Scan, load_all_scans
from benchmark.series.encoded import EncodedPart, Encoder, encode_part
from benchmark.series.parts import Part, parts_of
from benchmark.series.peers import Codes, SeriesPeer, Source, select_series_peers
from benchmark.series.scoring import (
    METRIC,
    STRUCTURE,
    WHOLE,
    Asking,
    Question,
    Row,
    figures,
    questions_of,
    row_of,
)
from benchmark.types import Progress
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ParameterError
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.plain import finite_json


def run_series(
    root: Path,
    folders: Sequence[Path],
    peers: Sequence[str],
    bits: Sequence[int],
    progress: Progress,
    threads: int = 1,
    model_dir: str = "",
) -> list[Row]:
    """Measure whether the series that are found show the structures that the query shows.

    Parameters
    ----------
    root : Path
        Folder of the data of ``hmar bench region``; what is missing is fetched into it.
    folders : sequence of Path
        Further volumes of which some structures are drawn; see :func:`benchmark.region.volumes.load_folder`.
    peers : sequence of str
        Names of :mod:`benchmark.series.peers`, or "all".
    bits : sequence of int
        64, 128 or both.
    progress : Progress
    threads : int
        Of the encoder.
    model_dir : str
        Folder of the model that is measured; empty stands for the shipped one.

    Returns
    -------
    list of dict
        Ready for JSON. ``protocol`` is "series-whole" (a part of a scan looks for parts of other people) or
        "series-structure" (the boxes of one structure on a part's slices do); chance is among each.

    Raises
    ------
    ParameterError
        If a peer or a length is unknown.
    UnavailableError, NotFoundError, DecodeError
        If data are missing and cannot be fetched, or cannot be read.
    ModelError
        If the model is missing or altered.
    """
    whole, structure = select_series_peers(list(peers))
    lengths = code_lengths_of(bits)
    encoder = HmarEncoder.load(Path(model_dir) if model_dir else shipped_bundle(), threads)
    fetch_region_data(root, lambda line: progress(line, 0, 0))
    check_files(root)
    scans = load_all_scans(root, folders)
    rows = rows_of(scans, whole, structure, lengths, encoder, progress)
    model: Row = {"model": encoder.name, "model_fingerprint": encoder.fingerprint}
    data = all_digest(root, folders)
    return [_shaped(row, model, data) for row in rows]


def rows_of(
    scans: Sequence[Scan],
    whole: Sequence[SeriesPeer],
    structure: Sequence[SeriesPeer],
    bits: Sequence[int],
    encoder: Encoder,
    progress: Progress,
) -> list[Row]:
    """Return the rows of both questions."""
    parts = [part for scan in scans for part in parts_of(scan)]
    questions = questions_of(parts)
    if not questions:
        raise ParameterError(
            "No structure is shown by two people.", "Give volumes of people who have one in common."
        )
    used = {peer.source for peer in (*whole, *structure)}
    encoded = {source: _encoded(parts, source, encoder, progress) for source in used}
    rows: list[Row] = []
    for protocol, peers in ((WHOLE, whole), (STRUCTURE, structure)):
        rows.append(_chance(protocol, questions, parts))
        for ways in _alike(peers):
            for done, length in enumerate(bits, start=1):
                asking = Asking(questions, encoded[ways[0].source], protocol, ways[0].codes, length)
                for peer in ways:
                    found = asking.figures(peer.aggregation)
                    rows.append(_row(protocol, peer, length, row_of(found, questions, parts)))
                progress(f"{protocol}, codes of {ways[0].codes} by the {ways[0].source}", done, len(bits))
    return rows


def _alike(peers: Sequence[SeriesPeer]) -> list[list[SeriesPeer]]:
    """Return the peers that compare the same codes together."""
    together: dict[tuple[Source, Codes], list[SeriesPeer]] = {}
    for peer in peers:
        together.setdefault((peer.source, peer.codes), []).append(peer)
    return list(together.values())


def _encoded(parts: Sequence[Part], source: Source, model: Encoder, progress: Progress) -> list[EncodedPart]:
    encoder = model if source == "model" else ThumbnailEncoder()
    encoded = []
    for done, part in enumerate(parts, start=1):
        encoded.append(encode_part(part, encoder))
        progress(f"encoding parts by the {source}", done, len(parts))
    return encoded


def _chance(protocol: str, questions: Sequence[Question], parts: Sequence[Part]) -> Row:
    found = [figures(np.zeros(len(question.gallery)), question.relevant) for question in questions]
    return {
        "name": "chance",
        "what": "parts in random order",
        "bits": 0,
        "protocol": protocol,
        "direction": "people",
        "metric": METRIC,
        **row_of(found, questions, parts),
        "of_model": False,
    }


def _row(protocol: str, peer: SeriesPeer, bits: int, found: Row) -> Row:
    return {
        "name": peer.name,
        "what": peer.what,
        "bits": bits,
        "protocol": protocol,
        "direction": "people",
        "metric": METRIC,
        **found,
        "of_model": peer.source == "model",
    }


def _shaped(row: Row, model: Row, data: str) -> Row:
    known = model if row.pop("of_model") else dict.fromkeys(model)
    return {key: finite_json(value) for key, value in {**row, **known, "data": data}.items()}
