"""Archives of drawn codes, written part by part as the product stores them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.speed.people import People, Person
from hmar.index.frames import FrameTable
from hmar.index.id_runs import IdRuns, to_runs
from hmar.index.planes import Planes, padded, to_codes
from hmar.index.skim import skim_arrays
from hmar.index.snapshot import Snapshot, SnapshotStore
from hmar.index.stored import ArrayParts
from hmar.index.windows import Segment, Windows, offsets_of
from hmar.values.codes import CODE_BYTES, CodeArray, EncodedFrame
from hmar.values.frames import FrameInfo
from hmar.values.selection import Selection

MODEL = "speed"
COMMON = Selection(filters={"sex": frozenset({"F"})})
TENTH = Selection(filters={"body_part": frozenset({"HEAD"})})
RARE = Selection(filters={"label": frozenset({"rare"})})
COMMON_EVERY, TENTH_EVERY, RARE_EVERY = 2, 10, 100
"""The filters find people with numbers that these divide."""
_NO_WINDOWS = (np.empty((0, CODE_BYTES), np.uint8), np.empty(0, np.uint32))


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """Frames with windows, in a snapshot that an index can be opened on; entry ids count from 1.

    Parameters
    ----------
    folder : Path
        Root of the snapshot.
    codes : ndarray of uint8, shape (16, padded(W))
        Planes of the window codes, mapped from the snapshot.
    offsets : ndarray of int64, shape (F + 1,)
    asked : ndarray of uint8, shape (Q, 9, 16)
        Nine windows of each region query.
    people : ndarray of int64, shape (F,)
        Number of each frame's person, from 1.
    """

    folder: Path
    codes: Planes
    offsets: NDArray[np.int64]
    asked: CodeArray
    people: NDArray[np.int64]

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.offsets) - 1

    @property
    def windows(self) -> int:
        """Number of windows."""
        return int(self.offsets[-1])

    def queries(self, count: int, windows: int) -> CodeArray:
        """Return the first windows, up to nine, of some queries, shape (count, windows, 16); they repeat."""
        queries: CodeArray = self.asked[np.arange(count) % len(self.asked), :windows]
        return queries

    def window_codes(self, frame: int) -> CodeArray:
        """Return the codes of a frame's windows, shape (windows, 16)."""
        return to_codes(self.codes, slice(*self.offsets[frame : frame + 2].tolist()))


class _Windows(NamedTuple):
    """Windows of each frame of a person, as an index keeps them."""

    counts: NDArray[np.int64]
    run_counts: NDArray[np.uint32]
    runs: IdRuns


def write_archive(
    folder: Path, people: People, asked: CodeArray, frames: int, seed: int = 0, shuffled: bool = False
) -> Archive:
    """Draw an archive of people; see :mod:`benchmark.speed.people`.

    Codes go to the disk as they are drawn, and from there into the snapshot, plane by plane: they are never
    in memory as a whole. ``folder`` needs room for twice the snapshot meanwhile.

    Parameters
    ----------
    folder : Path
        Root of the snapshot.
    people : People
    asked : ndarray of uint8, shape (Q, 9, 16)
        Queries that will be asked; see :class:`benchmark.speed.real_codes.RealCodes`.
    frames : int
        From 1.
    seed : int
    shuffled : bool
        Whether the slices of each series arrive in random order. Who is drawn does not depend on it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed) if shuffled else None
    with TemporaryDirectory(prefix="planes-", dir=folder) as planes:
        table, drawn = _draw(people.drawn(frames, seed), Path(planes), generator)
        counts = np.concatenate([person.counts for person in drawn])
        run_counts = np.concatenate([person.run_counts for person in drawn])
        codes, runs = _joined(Path(planes), int(counts.sum())), np.concatenate([each.runs for each in drawn])
        windows = Windows([Segment(codes, offsets_of(counts), runs, offsets_of(run_counts))])
        arrays: dict[str, NDArray[Any] | ArrayParts] = {
            **table.arrays,
            "window_counts": counts,
            "window_codes": codes,
            **skim_arrays(
                table.arrays["series"],
                table.arrays["along"],
                table.global_words,
                windows,
                np.arange(len(counts)),
            ),
            "id_run_counts": run_counts,
            "id_runs": runs,
        }
        store = SnapshotStore(folder, MODEL)
        store.write(Snapshot(frames, "speed", table.texts, arrays))
    generation = store.load(checked=False)
    assert generation is not None  # noqa: S101 (it was written a line ago)
    numbers = np.repeat(np.arange(1, len(drawn) + 1), [len(person.counts) for person in drawn])
    return Archive(folder, generation.arrays["window_codes"], offsets_of(counts), asked, numbers)


def _draw(
    people: Iterable[Person], folder: Path, generator: np.random.Generator | None
) -> tuple[FrameTable, list[_Windows]]:
    """Write the planes of all window codes, a file each; return the frames, and windows of each person.

    With a generator, slices of a person come in random order.
    """
    table, drawn, known = FrameTable.empty(), list[_Windows](), dict[tuple[int, int], _Windows]()
    with ExitStack() as stack:
        files = [stack.enter_context(_plane(folder, plane).open("wb")) for plane in range(CODE_BYTES)]
        for number, one in enumerate(people, start=1):
            if generator is None:
                person, windows = one, _windows(one, known)
            else:
                person = one.reordered(generator.permutation(len(one.counts)))
                windows = _kept(person)
            table.extend(_rows(person, number, len(table)))
            drawn.append(windows)
            for file, plane in zip(files, np.ascontiguousarray(person.window_codes.T), strict=True):
                file.write(plane.data)
    return table, drawn


def _windows(person: Person, known: dict[tuple[int, int], _Windows]) -> _Windows:
    """Return what the snapshot tells of a person's windows, once for all who have a real series' ids."""
    series = (person.window_ids.ctypes.data, len(person.counts))
    if series not in known:
        known[series] = _kept(person)
    return known[series]


def _kept(person: Person) -> _Windows:
    ends = np.cumsum(person.counts)[:-1]
    runs = [to_runs(ids) for ids in np.split(person.window_ids, ends)]
    counts = np.array([len(of_frame) for of_frame in runs], np.uint32)
    return _Windows(person.counts, counts, np.concatenate(runs))


def _plane(folder: Path, plane: int) -> Path:
    return folder / f"{plane}.bytes"


def _joined(folder: Path, total: int) -> Planes:
    """Join the planes to one array, mapped from a file; theirs are removed."""
    joined = np.memmap(folder / "codes.bytes", np.uint8, "w+", shape=(CODE_BYTES, padded(total)))
    for plane in range(CODE_BYTES):
        joined[plane, :total] = np.fromfile(_plane(folder, plane), np.uint8)
        _plane(folder, plane).unlink()
    return joined


def _rows(person: Person, number: int, known: int) -> Sequence[tuple[int, str, EncodedFrame]]:
    """Return the frames of a person as a frame table takes them; it has no use for windows."""
    info = FrameInfo(
        study_uid=f"study {number}",
        series_uid=f"series {number}",
        sop_instance_uid="",
        frame_number=1,
        patient_key=f"person {number}",
        rows=512,
        columns=512,
        spacing=None,
        modality="CT",
        sex="M" if number % COMMON_EVERY else "F",
        body_part="CHEST" if number % TENTH_EVERY else "HEAD",
        label=None if number % RARE_EVERY else "rare",
    )
    infos = [replace(info, instance_number=number) for number in person.slices.tolist()]
    return [
        (known + at, "speed", EncodedFrame(info, code, *_NO_WINDOWS, (0.5, 0.5), MODEL))
        for at, (info, code) in enumerate(zip(infos, person.global_codes, strict=True), start=1)
    ]
