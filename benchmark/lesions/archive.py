"""One archive that is searched: the slices of one half of the people, of one modality or of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmark.lesions.peers import CENTRE, CHANCE, LesionPeer
from benchmark.lesions.people import Half, half_of
from benchmark.lesions.ranking import Ranked, rank_frames
from benchmark.lesions.scoring import Question, Scores, chance, others_lesions, own_lesion, permuted, score
from benchmark.lesions.slices import ArchiveSlice, Right, describe_query, describe_windows
from benchmark.region.coding import Code, fit_code
from benchmark.region.describing import FLOAT
from benchmark.region.features import WindowFeature
from benchmark.region.planes import GRID
from benchmark.types import Descriptors, Progress
from hmar.image.windows import WindowConfig
from hmar.values.frames import FloatArray
from hmar.values.window_ids import unpack_window_ids

OWN, OTHERS = "lesion-own", "lesion-others"
TOGETHER = "together"
"""Stands for an archive of all modalities."""
FIT_WINDOWS = 20_000
"""Windows of the other half that ITQ is fitted on, drawn at random where there are more."""
_SEED = 7

Key = tuple[str, str, int]
"""Protocol, name of the peer, and length of the code or number of floats."""


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What one peer says of all slices: features of their windows, and of their queries."""

    windows: Mapping[int, FloatArray]
    queries: Mapping[int, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """The slices of one half that have windows, and those among them that are asked for.

    Parameters
    ----------
    half : str
    modality : str
        "together" for all.
    numbers : list of int
        Of its slices, among all that were read.
    asked : list of int
        Of those with a lesion.
    fitted : list of int
        What ITQ may be fitted on: slices of the other half, of the same modality where it has any.
    slices : sequence of ArchiveSlice
        All that were read.
    """

    half: Half
    modality: str
    numbers: list[int]
    asked: list[int]
    fitted: list[int]
    slices: Sequence[ArchiveSlice] = field(repr=False)

    @property
    def frames(self) -> list[ArchiveSlice]:
        """Its slices."""
        return [self.slices[number] for number in self.numbers]

    @property
    def queries(self) -> list[ArchiveSlice]:
        """The slices that are asked for."""
        return [self.slices[number] for number in self.asked]

    def questions(self) -> dict[str, Question]:
        """Return both questions, by protocol."""
        return {
            OWN: own_lesion(self.queries, self.frames),
            OTHERS: others_lesions(self.queries, self.frames),
        }


def make_archive(slices: Sequence[ArchiveSlice], half: Half, modality: str) -> Archive:
    """Gather one half's slices of a modality; a slice without windows cannot be found, as in the product."""
    of_modality = [
        number
        for number, one in enumerate(slices)
        if len(one.ids) and modality in (TOGETHER, one.source.modality)
    ]
    numbers = [number for number in of_modality if half_of(slices[number].source.person) == half]
    asked = [number for number in numbers if slices[number].query is not None]
    others = [
        number for number, one in enumerate(slices) if len(one.ids) and half_of(one.source.person) != half
    ]
    fitted = [number for number in others if number in set(of_modality)]
    return Archive(half, modality, numbers, asked, fitted or others, slices)


def describe(
    name: str,
    feature: WindowFeature,
    slices: Sequence[ArchiveSlice],
    windows: WindowConfig,
    progress: Progress,
) -> Described:
    """Describe the windows of all slices, and the nine windows of each lesion; ``name`` is for progress."""
    described, queries = {}, {}
    for number, one in enumerate(slices):
        if len(one.ids):
            described[number] = describe_windows(feature, one, windows)
            if one.query is not None:
                queries[number] = describe_query(feature, one.plane, one.query)
        progress(f"describing: {name}", number + 1, len(slices))
    return Described(described, queries)


def measure(
    peer: LesionPeer, described: Described, boxes: Described | None, archive: Archive, bits: Sequence[int]
) -> dict[Key, Scores]:
    """Measure one peer on one archive.

    Parameters
    ----------
    peer : LesionPeer
    described : Described
        By this peer.
    boxes : Described or None
        Logits of the model's windows, by which the box of a hit is chosen where the peer ranks whole frames.
    archive : Archive
    bits : sequence of int
    """
    codes = _codes(peer, described, archive, bits)
    longest = max(codes)
    found: dict[Key, Scores] = {}
    for length, code in codes.items():
        ranked = _ranked(described, archive, code, codes[longest] if peer.coding == "sign" else code)
        if peer.whole and boxes is not None:
            by_window = fit_code(peer.coding, _NOTHING, length, _SEED)
            full = fit_code(peer.coding, _NOTHING, longest, _SEED)
            ranked = Ranked(ranked.distance, _ranked(boxes, archive, by_window, full).window)
        for protocol, question in archive.questions().items():
            right: Sequence[Right] = [one.right for one in archive.frames]
            if peer.permuted:
                question, right = permuted(question, right, _SEED)
            found[protocol, peer.name, length] = score(question, ranked, right)
    return found


def controls(archive: Archive, windows: WindowConfig) -> dict[Key, Scores]:
    """Measure what no descriptor is needed for: chance, exactly, and the middle of a frame.

    Slices that are cropped round their lesion show it in the middle; "centre" says what that alone is worth:
    frames in random order, each with the window nearest to its middle.
    """
    right = [one.right for one in archive.frames]
    middle = np.array([_central_window(one, windows) for one in archive.frames], np.int64)
    shape = (len(archive.asked), len(archive.numbers))
    central = Ranked(np.zeros(shape, np.int64), np.broadcast_to(middle, shape))
    found: dict[Key, Scores] = {}
    for protocol, question in archive.questions().items():
        found[protocol, CHANCE, FLOAT] = chance(question, right)
        found[protocol, CENTRE, FLOAT] = score(question, central, right)
    return found


_NOTHING = np.empty((0, 1), np.float32)


def _codes(peer: LesionPeer, described: Described, archive: Archive, bits: Sequence[int]) -> dict[int, Code]:
    if peer.coding == "float":
        return {FLOAT: fit_code("float", _NOTHING, FLOAT, _SEED)}
    sample = _NOTHING
    if peer.coding == "itq":
        sample = np.concatenate([described.windows[number] for number in archive.fitted])
        kept = np.random.default_rng(_SEED).permutation(len(sample))[:FIT_WINDOWS]
        sample = sample[kept]
    return {length: fit_code(peer.coding, sample, length, _SEED) for length in bits}


def _ranked(described: Described, archive: Archive, code: Code, longer: Code) -> Ranked:
    def coded(by: Code) -> tuple[list[Descriptors], list[Descriptors]]:
        queries = [by(described.queries[number]) for number in archive.asked]
        return queries, [by(described.windows[number]) for number in archive.numbers]

    return rank_frames(*coded(code), None if longer is code else coded(longer))


def _central_window(one: ArchiveSlice, windows: WindowConfig) -> int:
    """Return the window whose centre is nearest to the middle of the frame, the first of those that tie."""
    sizes, row, column = unpack_window_ids(one.ids)
    side = np.array(windows.cells)[sizes]
    grid = one.plane.grid
    down = (row + side / 2) * GRID.stride - grid.filled_rows / 2
    across = (column + side / 2) * GRID.stride - grid.filled_columns / 2
    return int(np.argmin(down**2 + across**2))
