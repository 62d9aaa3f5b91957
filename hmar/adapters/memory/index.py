"""The index in memory: plain loops over plain integers, the oracle of every other index."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hmar.index.distances import fused_distance, local_distance
from hmar.ports import IndexStats
from hmar.properties.table import TABLE
from hmar.values.codes import CODE_BITS, CODE_BYTES, WEIGHT_OF_BIT, Bits, BitWeights, CodeArray, Query
from hmar.values.entries import LogRow
from hmar.values.fast import EXACT, FastHits
from hmar.values.frames import FrameInfo
from hmar.values.groups import CodeGroup, CodePair, FrameCodes, GroupQuery
from hmar.values.hits import CodeHit, Match, Mode
from hmar.values.selection import GroupBy, Selection


@dataclass(frozen=True, slots=True)
class _Entry:
    entry_id: int
    collection: str
    info: FrameInfo
    global_code: int
    window_codes: tuple[int, ...]
    window_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A code that is looked for; the weight of each bit, the most significant first, or none."""

    code: int
    weights: tuple[int, ...] | None = None

    @property
    def unit(self) -> float:
        return 1.0 if self.weights is None else WEIGHT_OF_BIT

    def apart(self, code: int, bits: Bits) -> int:
        if self.weights is None:
            return _hamming(self.code, code, bits)
        differing = self.code ^ code
        return sum(self.weights[place] for place in range(bits) if differing >> (127 - place) & 1)


@dataclass(frozen=True, slots=True)
class _Query:
    whole: _Asked
    windows: tuple[_Asked, ...]
    gate: tuple[float, float]
    parts: tuple[tuple[_Asked, ...], ...]

    @classmethod
    def of(cls, query: Query) -> _Query:
        [whole] = _asked(
            query.global_code[None], None if query.global_weights is None else query.global_weights[None]
        )
        windows = _asked(query.window_codes, query.window_weights)
        each = len(windows) // len(query.parts)
        parts = tuple(windows[at * each : (at + 1) * each] for at in range(len(query.parts)))
        return cls(whole, windows, query.gate, parts)


def _asked(codes: CodeArray, weights: BitWeights | None) -> tuple[_Asked, ...]:
    rows = [None] * len(codes) if weights is None else [tuple(row) for row in weights.tolist()]
    return tuple(_Asked(_number(code), row) for code, row in zip(codes, rows, strict=True))


_Ranked = Callable[[_Query, _Entry, Bits], float | None]


class MemoryIndex:
    """A :class:`hmar.ports.CodeIndex` that compares one pair of codes at a time. Thread-safe.

    Parameters
    ----------
    model_fingerprint : str
        Rows of other models change nothing.
    """

    def __init__(self, model_fingerprint: str) -> None:
        self._model_fingerprint = model_fingerprint
        self._lock = threading.Lock()
        self._entries: dict[int, _Entry] = {}
        self._last_seq, self._last_mark, self._deleted_seq = 0, "", 0

    def apply(self, rows: Sequence[LogRow]) -> None:
        """Apply log rows in order; rows at or below the last one applied change nothing."""
        with self._lock:
            for row in rows:
                if row.seq > self._last_seq:
                    self._last_seq, self._last_mark = row.seq, row.mark
                    self._apply(row)

    def _apply(self, row: LogRow) -> None:
        encoded = row.encoded
        if row.kind == "delete":
            self._entries.pop(row.entry_id, None)
            self._deleted_seq = row.seq
        elif encoded is not None and encoded.model_fingerprint == self._model_fingerprint:
            self._entries[row.entry_id] = _Entry(
                row.entry_id,
                row.collection,
                encoded.info,
                _number(encoded.global_code),
                tuple(_number(code) for code in encoded.window_codes),
                tuple(int(window) for window in encoded.window_ids),
            )

    def search_global(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the nearest global code."""
        return self._search(_global, query, k, bits, selection)

    def search_windows(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the smallest local distance; entries without windows are left out."""
        return self._search(_local, query, k, bits, selection)

    def search_fused(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the smallest gate-weighted sum of both distances."""
        return self._search(_fused, query, k, bits, selection)

    def _search(
        self, ranked: _Ranked, query: Query, k: int, bits: Bits, selection: Selection
    ) -> list[CodeHit]:
        asked = _Query.of(query)
        with self._lock:
            entries = [entry for entry in self._entries.values() if _selected(entry, selection)]
        found = []
        for entry in entries:
            distance, full_distance = ranked(asked, entry, bits), ranked(asked, entry, 128)
            if distance is not None and full_distance is not None:
                found.append((distance, full_distance, entry.entry_id, entry))
        found.sort(key=lambda candidate: candidate[:3])
        ranking = _first_of_groups([entry for _, _, _, entry in found], selection.group_by)
        return [_hit(asked, entry, bits) for entry in ranking[: max(k, 0)]]

    def search_fast(
        self, query: Query, k: int, mode: Mode, bits: Bits, selection: Selection
    ) -> FastHits | None:
        """Return the k nearest entries: every search compares all there is."""
        search = {"global": self.search_global, "local": self.search_windows, "auto": self.search_fused}[mode]
        return FastHits(search(query, k, bits, selection), EXACT)

    def search_groups(self, query: GroupQuery, k: int, bits: Bits, selection: Selection) -> list[CodeGroup]:
        """Return the k nearest groups of a selection that groups: series, studies or patients."""
        if selection.group_by is None:
            raise ValueError("the selection does not group")
        groups: dict[tuple[str, str], list[_Entry]] = {}
        with self._lock:
            for entry in sorted(self._entries.values(), key=lambda entry: entry.entry_id):
                comparable = query.mode == "global" or entry.window_codes
                if comparable and _selected(entry, selection):
                    groups.setdefault(_group(entry.info, selection.group_by), []).append(entry)
        found = []
        for members in groups.values():
            near, full = _compared(query, members, bits), _compared(query, members, 128)
            if near is not None and full is not None:
                found.append((near.distance, full.distance, near.entry_id, near))
        found.sort(key=lambda candidate: candidate[:3])
        return [near for _, _, _, near in found[: max(k, 0)]]

    def codes(self, entry_ids: Sequence[int], selection: Selection) -> list[FrameCodes]:
        """Return the codes of those entries that may be found, in the order given."""
        with self._lock:
            live = [self._entries[entry_id] for entry_id in entry_ids if entry_id in self._entries]
        return [
            FrameCodes(
                entry.entry_id,
                _code(entry.global_code),
                np.array([_code(window) for window in entry.window_codes], np.uint8).reshape(-1, CODE_BYTES),
                np.array(entry.window_ids, np.uint32),
            )
            for entry in live
            if _selected(entry, selection)
        ]

    def count(self, selection: Selection) -> int:
        """Return how many entries may be found."""
        with self._lock:
            return sum(_selected(entry, selection) for entry in self._entries.values())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._last_seq, self._last_mark, self._deleted_seq = 0, "", 0

    def stats(self) -> IndexStats:
        """Return what the index holds."""
        with self._lock:
            windows = sum(len(entry.window_codes) for entry in self._entries.values())
            return IndexStats(
                len(self._entries),
                windows,
                self._last_seq,
                self._last_mark,
                self._model_fingerprint,
                self._deleted_seq,
            )

    def snapshot(self) -> None:
        """Do nothing: what is in memory is rebuilt from the log."""

    def check(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Do nothing: there are no snapshots."""

    def close(self) -> None:
        """Do nothing: there are no threads."""


def _number(code: CodeArray) -> int:
    return int.from_bytes(np.ascontiguousarray(code).tobytes(), "big")


def _code(number: int) -> CodeArray:
    return np.frombuffer(number.to_bytes(CODE_BYTES, "big"), np.uint8)


def _hamming(a: int, b: int, bits: Bits) -> int:
    """Compare the first ``bits`` of two 128-bit codes, whose first bit is the most significant."""
    return ((a ^ b) >> (128 - bits)).bit_count()


def _selected(entry: _Entry, selection: Selection) -> bool:
    info = entry.info
    if selection.collection is not None and entry.collection != selection.collection:
        return False
    if selection.within is not None and entry.collection not in selection.within:
        return False
    for name, condition in selection.filters.items():
        if not TABLE[name].kind.fits(getattr(info, name), condition):
            return False
    if selection.not_patient is not None and info.patient_key == selection.not_patient:
        return False
    if info.study_uid in selection.not_studies or info.series_uid in selection.not_series:
        return False
    if selection.only_series is not None and info.series_uid not in selection.only_series:
        return False
    if selection.as_of is not None and entry.entry_id > selection.as_of:
        return False
    return entry.entry_id not in selection.exclude


def _first_of_groups(ranking: list[_Entry], group_by: GroupBy | None) -> list[_Entry]:
    """Keep the first entry of each group; all where there are no groups."""
    if group_by is None:
        return ranking
    seen = set()
    kept = []
    for entry in ranking:
        group = _group(entry.info, group_by)
        if group not in seen:
            seen.add(group)
            kept.append(entry)
    return kept


def _group(info: FrameInfo, group_by: GroupBy) -> tuple[str, str]:
    if group_by in ("series", "place"):
        return "series", info.series_uid
    if group_by == "patient" and info.patient_key is not None:
        return "patient", info.patient_key
    return "study", info.study_uid


def _global(query: _Query, entry: _Entry, bits: Bits) -> float:
    return query.whole.apart(entry.global_code, bits) / query.whole.unit


def _local(query: _Query, entry: _Entry, bits: Bits) -> float | None:
    return _local_to(query.windows, entry, bits)


def _local_to(windows: tuple[_Asked, ...], entry: _Entry, bits: Bits) -> float | None:
    if not entry.window_codes or not windows:
        return None
    nearest = [min(asked.apart(code, bits) for code in entry.window_codes) for asked in windows]
    return local_distance(sum(nearest), len(nearest), windows[0].unit)


def _fused(query: _Query, entry: _Entry, bits: Bits) -> float:
    local = _local(query, entry, bits)
    whole = _global(query, entry, bits)
    return whole if local is None else fused_distance(query.gate, whole, local)


def _hit(query: _Query, entry: _Entry, bits: Bits) -> CodeHit:
    local = _local(query, entry, bits)
    distance = _global(query, entry, bits)
    if local is None:
        return CodeHit(entry.entry_id, distance, float(bits))
    matches = (_match(part, entry, bits) for part in query.parts)
    return CodeHit(entry.entry_id, distance, local, tuple(match for match in matches if match is not None))


def _match(part: tuple[_Asked, ...], entry: _Entry, bits: Bits) -> Match | None:
    distance = _local_to(part, entry, bits)
    if distance is None:
        return None
    nearest = min(
        range(len(entry.window_codes)),
        key=lambda i: (
            part[0].apart(entry.window_codes[i], bits),
            part[0].apart(entry.window_codes[i], 128),
        ),
    )
    return Match(entry.window_ids[nearest], distance)


def _compared(query: GroupQuery, members: list[_Entry], bits: Bits) -> CodeGroup | None:
    """Compare a group with the query; None where no frame of either can be compared."""
    if query.aggregation == "mean":
        asked = _mean([_number(code) for code in query.global_codes])
        apart = _hamming(asked, _mean([entry.global_code for entry in members]), bits)
        return CodeGroup(members[0].entry_id, len(members), float(apart), ())
    pairs = [_nearest_pair(query, number, members, bits) for number in query.frames]
    if not pairs or None in pairs:
        return None
    found = tuple(pair for pair in pairs if pair is not None)
    total = 0.0
    for pair in found:  # one after the other: sum() corrects its rounding, and numpy does not
        total += pair.distance
    return CodeGroup(members[0].entry_id, len(members), total / len(found), found)


def _nearest_pair(query: GroupQuery, number: int, members: list[_Entry], bits: Bits) -> CodePair | None:
    asked = _number(query.global_codes[number])
    windows = _asked(query.window_codes[number], None)

    def distance(entry: _Entry, length: Bits) -> float | None:
        if query.mode == "local":
            return _local_to(windows, entry, length)
        return float(_hamming(asked, entry.global_code, length))

    candidates = [
        (near, full, entry.entry_id)
        for entry in members
        if (near := distance(entry, bits)) is not None and (full := distance(entry, 128)) is not None
    ]
    if not candidates:
        return None
    near, _, entry_id = min(candidates)
    return CodePair(number, entry_id, near)


def _mean(codes: list[int]) -> int:
    """Return the code whose bits are 1 where more than half of the codes have a 1."""
    ones = [sum(code >> place & 1 for code in codes) for place in range(CODE_BITS)]
    return sum(1 << place for place in range(CODE_BITS) if 2 * ones[place] > len(codes))
