"""Decoding in child processes against decoding in this one: a frame, an index job, a search by file."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import JPEG2000Lossless

from benchmark.speed.phantom import SIDE, phantom_file
from benchmark.speed.timing import Milliseconds, Rounds, interleave, speed_row
from benchmark.types import Progress
from hmar.adapters.memory import InlineQueue, MemorySource
from hmar.config import Settings
from hmar.contents import Content
from hmar.decoding.in_process import ImageDecoder
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import HmarError
from hmar.indexing.encoders import OneEncoder
from hmar.indexing.indexer import Indexer
from hmar.ports import FrameEncoder
from hmar.values.entries import Origin
from hmar.values.frames import Frame, ImageFile
from hmar.values.jobs import ItemState, Message
from hmar.values.selection import Selection
from hmar.wiring import Engine, build_engine

PEER = "the same in the process itself"
K = 10
Opener = Callable[[Content], ImageFile]


def measure_decode(
    settings: Settings,
    encoder: FrameEncoder,
    study: Path | None,
    files: int,
    rounds: Rounds,
    progress: Progress,
    side: int = SIDE,
) -> list[dict[str, object]]:
    """Time what containment costs.

    Parameters
    ----------
    settings : Settings
        ``home`` is used up.
    encoder : FrameEncoder
        Encodes what is indexed and searched.
    study : Path or None
        Folder whose images are indexed and searched, one a round; None draws phantoms.
    files : int
        How many of them at most.
    rounds : Rounds
        Of opening and decoding a frame.
    progress : Progress
    side : int
        Rows and columns of the phantoms.

    Returns
    -------
    list of dict
        A row for each kind of file, for indexing and for searching; ``overhead_ms`` is the median over the
        rounds of our time less the peer's. Indexing and searching have ``own_per_s`` and ``peer_per_s`` as
        well: frames indexed, or searches, a second.
    """
    with closing(build_engine(settings, encoder, InlineQueue())) as engine:
        openers: dict[str, Opener] = {
            "contained": engine.decoder.open,
            PEER: ImageDecoder(settings.max_pixels, PatientHasher(*engine.secrets.patient)).open,
        }
        # A search decodes what it opens; an index job looks first whether it has the file already.
        ahead = openers | {"contained": partial(engine.decoder.open, first_frame=True)}
        images = _images(openers[PEER], study, files, side)
        return [
            *(_decoding(kind, data, ahead, rounds, progress) for kind, data in _kinds(side).items()),
            _indexing(engine, images, openers, progress),
            _searching(engine, images, ahead, progress),
        ]


def _kinds(side: int) -> dict[str, bytes]:
    dataset = pydicom.dcmread(io.BytesIO(phantom_file(0, side)))
    dataset.compress(JPEG2000Lossless)
    compressed = io.BytesIO()
    dataset.save_as(compressed)
    return {"uncompressed CT": phantom_file(0, side), "JPEG 2000 lossless CT": compressed.getvalue()}


def _images(open_file: Opener, study: Path | None, files: int, side: int) -> list[bytes]:
    """Return files of one frame or more that can be read."""
    if study is None:
        return [phantom_file(number, side) for number in range(files)]
    found = (path.read_bytes() for path in sorted(study.rglob("*")) if path.is_file())
    return list(itertools.islice((data for data in found if _readable(open_file, data)), files))


def _readable(open_file: Opener, data: bytes) -> bool:
    try:
        open_file(data)
    except HmarError:
        return False
    return True


def _decoding(
    kind: str, data: bytes, openers: Mapping[str, Opener], rounds: Rounds, progress: Progress
) -> dict[str, object]:
    calls: dict[str, Callable[[int], object]] = {
        name: lambda _, opener=opener: opener(data).frame(1)  # type: ignore[misc]
        for name, opener in openers.items()
    }
    times = interleave(calls, rounds, f"decode, {kind}", progress)
    frames = [opener(data).frame(1) for opener in openers.values()]
    info = frames[0].info
    return _row(
        f"open and decode, {kind}",
        times,
        rounds,
        setting=f"one file of one {info.rows}x{info.columns} frame",
        quality={"values equal to those of the peer": _share_equal(frames)},
    )


def _indexing(
    engine: Engine, images: Sequence[bytes], openers: Mapping[str, Opener], progress: Progress
) -> dict[str, object]:
    """Index every file by both ways in turn, each into a collection of its own."""
    calls = {
        name: _index_calls(engine, f"way-{number}", images, opener)
        for number, (name, opener) in enumerate(openers.items())
    }
    # One file a round; the first warms up.
    rounds = Rounds(repeats=len(images) - 1, warm_up=1)
    times = interleave(calls, rounds, "decode, index", progress)
    listed = engine.catalogue.series(engine.encoder.fingerprint)
    frames = [sum(one.frames for one in listed if one.collection == f"way-{way}") for way in (0, 1)]
    return _row(
        "index a file",
        times,
        rounds,
        setting=f"{len(images)} files, {frames[0]} frames, SQLite, {engine.encoder.name}",
        quality={"frames indexed of those of the peer": f"{frames[0]} of {frames[1]}"},
        **_rates(times, frames[0] / len(images)),
    )


def _index_calls(
    engine: Engine, collection: str, images: Sequence[bytes], opener: Opener
) -> Callable[[int], object]:
    """Return a function that indexes a file by its number, as an item of one job."""
    references = [str(number) for number in range(len(images))]
    source = MemorySource(dict(zip(references, images, strict=True)))
    indexer = Indexer(
        engine.catalogue,
        engine.jobs,
        InlineQueue(),
        {"file": source},
        OneEncoder(engine.encoder),
        opener,
        engine.settings,
        engine.kept_uploads,
    )
    job_id = engine.jobs.create(collection, Origin("file", ""), references)
    items = engine.jobs.items(job_id, {ItemState.QUEUED}, len(images))
    messages = [Message("item", str(item.item_id)) for item in items]
    return lambda number: indexer.handle(messages[number])


def _searching(
    engine: Engine, images: Sequence[bytes], openers: Mapping[str, Opener], progress: Progress
) -> dict[str, object]:
    searcher = engine.searcher
    answers: dict[str, list[tuple[int, ...]]] = {name: [] for name in openers}

    def search(name: str, number: int) -> None:
        frame = openers[name](images[number % len(images)]).frame(1)
        hits = searcher.answer(frame, (), K, "auto", Selection())
        answers[name].append(tuple(hit.entry.entry_id for hit in hits))

    calls: dict[str, Callable[[int], object]] = {
        name: lambda number, name=name: search(name, number)  # type: ignore[misc]
        for name in openers
    }
    rounds = Rounds(repeats=len(images) - 1, warm_up=1)
    times = interleave(calls, rounds, "decode, search", progress)
    own, peer = answers.values()
    equal = sum(mine == theirs for mine, theirs in zip(own, peer, strict=True))
    return _row(
        "search by file",
        times,
        rounds,
        setting=f"whole image, k {K}, {engine.index.stats().frames} frames, {engine.encoder.name}",
        quality={"answers equal to those of the peer": f"{equal} of {len(own)}"},
        **_rates(times, 1),
    )


def _share_equal(frames: Sequence[Frame]) -> float:
    first, second = (frame.values for frame in frames)
    return round(float(np.mean(first == second)), 6)


def _rates(times: Mapping[str, Milliseconds], per_round: float) -> dict[str, object]:
    own, peer = (round(1000 * per_round / float(values.mean()), 3) for values in times.values())
    return {"own_per_s": own, "peer_per_s": peer}


def _row(
    name: str, times: Mapping[str, Milliseconds], rounds: Rounds, **details: object
) -> dict[str, object]:
    own, peer = times.values()
    row = speed_row("decode", name, PEER, own, peer, rounds, threads=1, **details)
    return row | {"overhead_ms": round(float(np.median(own - peer)), 3)}
