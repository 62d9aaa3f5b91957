"""The catalogue in memory."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Literal

from hmar.adapters.common.entries import by_frame_number, check_encoded, display_order, new_mark
from hmar.adapters.common.instances import Held, check_instances
from hmar.values.changes import Change, Changes
from hmar.values.codes import EncodedFrame, without_windows
from hmar.values.collections import CollectionInfo
from hmar.values.deletion import Collections, Deleted, Extent, FrameName, Selector, among, extent_of
from hmar.values.entries import Appended, EntryInfo, LogRow, Origin, SeriesInfo
from hmar.values.frames import FrameInfo
from hmar.values.listed_patients import PatientInfo, PatientsPage
from hmar.values.slabs import Member, held_back
from hmar.values.studies import StudiesPage, studies_of
from hmar.values.wanted_studies import ALL_STUDIES, WantedStudies, in_order

_Key = tuple[str, str, int, str]
_OnDeletion = Callable[[Selector, Collections, Sequence[EntryInfo]], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    info: EntryInfo
    encoded: EncodedFrame
    held_back: bool = False


@dataclass(frozen=True, slots=True)
class _Logged:
    kind: Literal["add", "delete"]
    entry_id: int
    collection: str
    mark: str
    created_at: float


class MemoryCatalogue:
    """A :class:`hmar.ports.Catalogue` that lives as long as the process. Thread-safe.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[int, _Entry] = {}
        self._known: dict[_Key, int] = {}
        self._instances: defaultdict[tuple[str, str], dict[int, _Entry]] = defaultdict(dict)
        self._log: list[_Logged] = []
        self._told: list[_OnDeletion] = []
        self._slabs: dict[str, float] = {}

    @property
    def lock(self) -> threading.Lock:
        """What is held while anything changes."""
        return self._lock

    def on_deletion(self, told: _OnDeletion) -> None:
        """Tell somebody of each deletion, and of each image that another one replaces, under the lock."""
        self._told.append(told)

    def live(self, collection: str, sop_instance_uid: str) -> list[EntryInfo]:
        """Return the live frames of an instance; the caller holds the lock."""
        return [entry.info for entry in self._of_instance(collection, sop_instance_uid)]

    def append(
        self,
        collection: str,
        frames: Sequence[EncodedFrame],
        origin: Origin,
        as_of: int | None = None,
        replaced: Collection[int] = (),
    ) -> Appended:
        """Add frames; see :meth:`hmar.ports.Catalogue.append`."""
        for encoded in frames:
            check_encoded(encoded)
        uids = {encoded.info.sop_instance_uid for encoded in frames}
        with self._lock:
            going = [self._entries[entry_id] for entry_id in sorted(replaced) if entry_id in self._entries]
            going = [entry for entry in going if entry.info.collection == collection]
            held = [entry.info for uid in uids for entry in self._of_instance(collection, uid)]
            staying = [_held(entry) for entry in held if entry.entry_id not in replaced]
            check_instances(staying, frames, as_of)
            for uid in {entry.info.info.sop_instance_uid for entry in going}:
                self._tell(Selector("instance", uid), collection, going)
            self._remove(going)
            mark, before = new_mark(), len(self._log)
            added = sum(self._add(collection, encoded, origin, mark) for encoded in frames)
            self._settle(self._since(before) + going, before)
        return Appended(added, len(frames) - added)

    def _since(self, before: int) -> list[_Entry]:
        """Return the entries that came after a row of the log."""
        return [self._entries[seq] for seq in range(before + 1, len(self._log) + 1) if seq in self._entries]

    def _add(
        self, collection: str, encoded: EncodedFrame, origin: Origin, mark: str, held_back: bool = False
    ) -> bool:
        key = _key(collection, encoded)
        if key in self._known:
            return False
        entry_id = len(self._log) + 1
        fingerprint, digests = encoded.model_fingerprint, encoded.digests
        info = EntryInfo(entry_id, collection, encoded.info, fingerprint, origin, digests)
        self._log.append(_Logged("add", entry_id, collection, mark, self._clock()))
        entry = _Entry(info, _copied(encoded), held_back)
        self._entries[entry_id] = entry
        self._instances[collection, encoded.info.sop_instance_uid][entry_id] = entry
        self._known[key] = entry_id
        return True

    @contextmanager
    def held(self) -> Iterator[list[EntryInfo]]:
        """Give all live entries, oldest first, and keep writers out for as long as the context lasts."""
        with self._lock:
            yield [entry.info for entry in self._entries.values()]

    def carry(self, codes: Mapping[int, EncodedFrame]) -> int:
        """Add entries that are those given in all but codes and model; return how many."""
        with self._lock:
            mark, added, before = new_mark(), 0, len(self._log)
            for entry_id in sorted(codes.keys() & self._entries.keys()):
                known = self._entries[entry_id].info
                encoded = replace(codes[entry_id], info=known.info, digests=known.digests)
                added += self._add(known.collection, encoded, known.origin, mark)
            self._settle(self._since(before), before)
            return added

    def forget_model(self, model_fingerprint: str, limit: int) -> int:
        """Delete and log some entries of a model, oldest first; return how many."""
        with self._lock:
            of_model = [
                entry for entry in self._entries.values() if entry.info.model_fingerprint == model_fingerprint
            ]
            going = of_model[:limit]
            for collection, uid in sorted({_instance(entry) for entry in going if self._is_alone(entry)}):
                self._tell(Selector("instance", uid), collection, self._of_instance(collection, uid))
            self._remove(going)
            self._settle(going, len(self._log))
            return len(going)

    def _is_alone(self, entry: _Entry) -> bool:
        """Return whether no other model has the frame of an entry."""
        number = entry.info.info.frame_number
        same = [
            other for other in self._of_instance(*_instance(entry)) if other.info.info.frame_number == number
        ]
        return same == [entry]

    def extent(self, selector: Selector, collection: Collections = None) -> Extent:
        """Return how much a delete would take away."""
        with self._lock:
            return extent_of(_name(entry) for entry in self._selected(selector, collection))

    def delete(self, selector: Selector, collection: Collections = None) -> Deleted:
        """Delete what a selector stands for, and log each frame."""
        with self._lock:
            gone = self._selected(selector, collection)
            self._tell(selector, collection, gone)
            self._remove(gone)
            self._settle(gone, len(self._log))
        origins = {entry.info.origin for entry in gone}
        return Deleted(
            extent_of(_name(entry) for entry in gone), tuple(sorted(origins - self.referred(origins)))
        )

    def relabel(self, selector: Selector, label: str | None, collection: Collections = None) -> int:
        """Give what a selector stands for a label, or None; return how many frames have a new one."""
        with self._lock:
            old = [entry for entry in self._selected(selector, collection) if entry.info.info.label != label]
            self._remove(old)
            mark = new_mark()
            for entry in old:
                encoded = replace(entry.encoded, info=replace(entry.encoded.info, label=label))
                self._add(entry.info.collection, encoded, entry.info.origin, mark, entry.held_back)
        return len({_name(entry) for entry in old})

    def referred(self, origins: Collection[Origin]) -> set[Origin]:
        """Return those of some origins that a live frame comes from."""
        with self._lock:
            return {entry.info.origin for entry in self._entries.values()} & set(origins)

    def _selected(self, selector: Selector, collection: Collections) -> list[_Entry]:
        return [
            entry
            for entry in self._entries.values()
            if among(entry.info.collection, collection)
            and getattr(entry.info.info, selector.field) == selector.value
        ]

    def slab_sizes(self) -> dict[str, float]:
        """Return the thickness of the slabs of each collection that has any."""
        with self._lock:
            return dict(self._slabs)

    def change_slabs(self, collection: str, slab_mm: float | None) -> int:
        """Give a collection slabs of another thickness, or none; return how many frames it changed."""
        with self._lock:
            self._slabs.pop(collection, None)
            if slab_mm is not None:
                self._slabs[collection] = slab_mm
            of_collection = [one for one in self._entries.values() if one.info.collection == collection]
            return self._settle(of_collection, len(self._log))

    @contextmanager
    def stacked(self, entry_ids: Collection[int]) -> Iterator[list[list[_Entry]]]:
        """Give the stacks that some entries lie in, and keep writers out for as long as the context lasts."""
        with self._lock:
            yield self._stacks(self._entries[each] for each in entry_ids if each in self._entries)

    def codes(self, entry_ids: Collection[int]) -> dict[int, EncodedFrame]:
        """Return all codes of those of some entries that are live."""
        with self._lock:
            return {each: self._entries[each].encoded for each in entry_ids if each in self._entries}

    def _stacks(self, some: Iterable[_Entry]) -> list[list[_Entry]]:
        wanted = {_stack(entry): list[_Entry]() for entry in some if entry.info.info.stack is not None}
        for entry in self._entries.values() if wanted else ():
            if (stack := wanted.get(_stack(entry))) is not None:
                stack.append(entry)
        return [stack for stack in wanted.values() if stack]

    def _settle(self, changed: Iterable[_Entry], before: int) -> int:
        """Hold back what another slice stands for, in the stacks in which something changed.

        Entries that came after a row of the log are new: that they are held back is all that the log tells.
        """
        rewritten = 0
        mark = new_mark()
        for stack in self._stacks(changed):
            slab_mm = self._slabs.get(stack[0].info.collection)
            held = frozenset[int]() if slab_mm is None else held_back(list(map(_member, stack)), slab_mm)
            for entry in stack:
                if (entry.info.entry_id in held) != entry.held_back:
                    self._rewrite(entry, entry.info.entry_id > before, mark)
                    rewritten += 1
        return rewritten

    def _rewrite(self, entry: _Entry, new: bool, mark: str) -> None:
        if new:
            other = replace(entry, held_back=not entry.held_back)
            self._entries[entry.info.entry_id] = other
            self._instances[_instance(entry)][entry.info.entry_id] = other
        else:
            self._remove([entry])
            info = entry.info
            self._add(info.collection, entry.encoded, info.origin, mark, not entry.held_back)

    def _tell(self, selector: Selector, collection: Collections, gone: Sequence[_Entry]) -> None:
        for told in self._told:
            told(selector, collection, [entry.info for entry in gone])

    def _remove(self, gone: Sequence[_Entry]) -> None:
        mark = new_mark()
        for entry in gone:
            collection, entry_id = entry.info.collection, entry.info.entry_id
            del self._entries[entry_id]
            del self._instances[collection, entry.info.info.sop_instance_uid][entry_id]
            del self._known[_key(collection, entry.encoded)]
            self._log.append(_Logged("delete", entry_id, collection, mark, self._clock()))

    def tail(self, after_seq: int, limit: int) -> list[LogRow]:
        """Return the next log rows in order of sequence number, none left out."""
        with self._lock:
            start = max(after_seq, 0)
            logged = self._log[start : start + max(limit, 0)]
            return [self._row(seq, row) for seq, row in enumerate(logged, start=start + 1)]

    def marks(self, after_seq: int, limit: int) -> list[str]:
        """Return the marks of the next log rows."""
        with self._lock:
            start = max(after_seq, 0)
            return [row.mark for row in self._log[start : start + max(limit, 0)]]

    def _row(self, seq: int, row: _Logged) -> LogRow:
        entry = self._entries.get(row.entry_id) if row.kind == "add" else None
        encoded = entry.encoded if entry else None
        if entry is not None and entry.held_back:
            encoded = without_windows(entry.encoded)
        return LogRow(seq, row.kind, row.entry_id, row.collection, row.mark, encoded)

    def changes(self, after_seq: int, limit: int, collection: Collections = None) -> Changes:
        """Return the next log rows in some collections, with what is known of their frames but the codes."""
        with self._lock:
            numbered = enumerate(self._log[after_seq:], start=after_seq + 1)
            seen = ((seq, row) for seq, row in numbered if among(row.collection, collection))
            changes = [
                Change(
                    seq,
                    row.kind,
                    row.entry_id,
                    row.collection,
                    row.created_at,
                    entry.info if (entry := self._entries.get(seq)) else None,
                )
                for seq, row in islice(seen, limit)
            ]
            return Changes(changes, changes[-1].seq if changes else after_seq)

    def collections(self, model_fingerprint: str, collection: Collections = None) -> list[CollectionInfo]:
        """Return what some collections hold of a model, in order of name."""
        held: defaultdict[str, list[_Entry]] = defaultdict(list)
        with self._lock:
            for entry in self._entries.values():
                info = entry.info
                if info.model_fingerprint == model_fingerprint and among(info.collection, collection):
                    held[info.collection].append(entry)
            return [self._counted(name, held[name]) for name in sorted(held)]

    def _counted(self, collection: str, held: Sequence[_Entry]) -> CollectionInfo:
        known = [entry.info.info for entry in held]
        labels = Counter(info.label for info in known if info.label is not None)
        codes = [(e.encoded.global_code, e.encoded.window_codes, e.encoded.window_ids) for e in held]
        return CollectionInfo(
            collection,
            len(held),
            len({info.series_uid for info in known}),
            len({info.study_uid for info in known}),
            len({info.patient_key for info in known} - {None}),
            dict(sorted(labels.items())),
            sum(part.nbytes for parts in codes for part in parts),
            self._log[max(entry.info.entry_id for entry in held) - 1].created_at,
            sum(len(entry.encoded.window_ids) for entry in held if not entry.held_back),
            sum(entry.held_back for entry in held),
            self._slabs.get(collection),
        )

    def last_seq(self) -> int:
        """Return the highest sequence number, 0 for an empty log."""
        with self._lock:
            return len(self._log)

    def entries(self, entry_ids: Collection[int]) -> dict[int, EntryInfo]:
        """Return the entries that are live among ``entry_ids``."""
        with self._lock:
            return {found: self._entries[found].info for found in entry_ids if found in self._entries}

    def find(
        self, sop_instance_uid: str, model_fingerprint: str, collection: str | None = None
    ) -> list[EntryInfo]:
        """Return the live frames of an instance in order of frame number, then of entry; maybe none."""
        return by_frame_number(
            entry
            for entry in self._of_model(model_fingerprint)
            if entry.info.sop_instance_uid == sop_instance_uid and collection in (None, entry.collection)
        )

    def ids_of(self, sop_instance_uids: Collection[str], model_fingerprint: str) -> frozenset[int]:
        """Return the ids of the live entries of some instances."""
        wanted = set(sop_instance_uids)
        return frozenset(
            entry.entry_id
            for entry in self._of_model(model_fingerprint)
            if entry.info.sop_instance_uid in wanted
        )

    def patients(self, sop_instance_uid: str, model_fingerprint: str) -> frozenset[str]:
        """Return the keys of the patients that live frames of an instance are of; maybe none, or several."""
        keys = {entry.info.patient_key for entry in self.find(sop_instance_uid, model_fingerprint)}
        return frozenset(key for key in keys if key is not None)

    def instance(self, collection: str, sop_instance_uid: str) -> list[EntryInfo]:
        """Return the live frames of an instance, of all models, in order of frame number, then of entry."""
        with self._lock:
            return by_frame_number(entry.info for entry in self._of_instance(collection, sop_instance_uid))

    def _of_instance(self, collection: str, sop_instance_uid: str) -> list[_Entry]:
        return list(self._instances.get((collection, sop_instance_uid), {}).values())

    def series(
        self, model_fingerprint: str, selector: Selector | None = None, collection: str | None = None
    ) -> list[SeriesInfo]:
        """List the series that hold live frames, in order of (collection, study, series)."""
        listed: dict[tuple[str, str, str], SeriesInfo] = {}
        for entry in self._of_model(model_fingerprint):
            info = entry.info
            if selector is not None and getattr(info, selector.field) != selector.value:
                continue
            if collection not in (None, entry.collection):
                continue
            key = (entry.collection, info.study_uid, info.series_uid)
            known = listed.get(key) or SeriesInfo.of(entry, 0)
            listed[key] = replace(known, frames=known.frames + 1)
        return [listed[key] for key in sorted(listed)]

    def studies(
        self,
        model_fingerprint: str,
        collection: Collections = None,
        wanted: WantedStudies = ALL_STUDIES,
        offset: int = 0,
        limit: int = 100,
    ) -> StudiesPage:
        """List studies that hold live frames, in order."""
        fitting, days = set[tuple[str, str]](), defaultdict[tuple[str, str], list[date]](list)
        for entry in self._firsts(model_fingerprint, collection):
            name = (entry.collection, entry.info.study_uid)
            if _is_wanted(entry.info, wanted):
                fitting.add(name)
            if entry.info.study_date is not None:
                days[name].append(entry.info.study_date)
        held = in_order({name: min(days[name], default=None) for name in fitting}, wanted.order)
        listed = {
            (study.collection, study.study_uid): study for study in studies_of(self.series(model_fingerprint))
        }
        return StudiesPage(
            [listed[name] for name in held[offset : offset + limit]], len(held) > offset + limit
        )

    def patient_keys(self, model_fingerprint: str, collection: Collections = None) -> frozenset[str]:
        """Return the keys of the patients of live frames."""
        keys = (entry.info.patient_key for entry in self._seen(model_fingerprint, collection))
        return frozenset(key for key in keys if key is not None)

    def patient_list(
        self, model_fingerprint: str, collection: Collections = None, offset: int = 0, limit: int = 100
    ) -> PatientsPage:
        """List patients that live frames are of, in order of key."""
        held = sorted(self.patient_keys(model_fingerprint, collection))
        infos = [entry.info for entry in self._seen(model_fingerprint, collection)]
        firsts = [entry.info for entry in self._firsts(model_fingerprint, collection)]
        page = [
            _patient(
                key,
                [info for info in infos if info.patient_key == key],
                [info for info in firsts if info.patient_key == key],
            )
            for key in held[offset : offset + limit]
        ]
        return PatientsPage(page, len(held) > offset + limit)

    def _seen(self, model_fingerprint: str, collection: Collections) -> list[EntryInfo]:
        return [entry for entry in self._of_model(model_fingerprint) if among(entry.collection, collection)]

    def _firsts(self, model_fingerprint: str, collection: Collections) -> list[EntryInfo]:
        """Return the first frame of each series in each collection."""
        firsts: dict[tuple[str, str, str], EntryInfo] = {}
        for entry in sorted(self._seen(model_fingerprint, collection), key=lambda entry: entry.entry_id):
            firsts.setdefault((entry.collection, entry.info.study_uid, entry.info.series_uid), entry)
        return list(firsts.values())

    def study_uids(
        self, model_fingerprint: str, wanted: WantedStudies, collection: Collections = None
    ) -> list[str]:
        """Return the UIDs of wanted studies that hold live frames in some collections, each once, sorted."""
        infos = (entry.info for entry in self._firsts(model_fingerprint, collection))
        return sorted({info.study_uid for info in infos if _is_wanted(info, wanted)})

    def frames(self, collection: str, series_uid: str, model_fingerprint: str) -> list[EntryInfo]:
        """Return the live frames of a series in display order; empty if there is none."""
        return display_order(
            entry
            for entry in self._of_model(model_fingerprint)
            if entry.collection == collection and entry.info.series_uid == series_uid
        )

    def ids(self, after_id: int) -> list[int]:
        """Return the ids of the live entries above one, sorted."""
        with self._lock:
            return sorted(entry_id for entry_id in self._entries if entry_id > after_id)

    def holds_patient_keys(self) -> bool:
        """Return whether any live frame has a patient's key."""
        with self._lock:
            return any(entry.info.info.patient_key is not None for entry in self._entries.values())

    def _of_model(self, model_fingerprint: str) -> list[EntryInfo]:
        with self._lock:
            infos = [entry.info for entry in self._entries.values()]
        return [info for info in infos if info.model_fingerprint == model_fingerprint]


def _key(collection: str, encoded: EncodedFrame) -> _Key:
    return collection, encoded.info.sop_instance_uid, encoded.info.frame_number, encoded.model_fingerprint


def _stack(entry: _Entry) -> tuple[str, str, str, str | None]:
    info = entry.info
    return info.collection, info.info.series_uid, info.model_fingerprint, info.info.stack


def _member(entry: _Entry) -> Member:
    return Member(entry.info.entry_id, entry.info.info.along_mm or 0.0)


def _instance(entry: _Entry) -> tuple[str, str]:
    return entry.info.collection, entry.info.info.sop_instance_uid


def _name(entry: _Entry) -> FrameName:
    info = entry.info.info
    return FrameName(
        entry.info.collection, info.study_uid, info.series_uid, info.sop_instance_uid, info.frame_number
    )


def _held(entry: EntryInfo) -> Held:
    info, digests = entry.info, entry.digests
    file_sha256 = None if digests is None else digests.file_sha256
    return Held(
        info.sop_instance_uid,
        info.study_uid,
        info.series_uid,
        info.patient_key,
        file_sha256,
        entry.entry_id,
    )


def _copied(encoded: EncodedFrame) -> EncodedFrame:
    """Copy the arrays, so that a caller who reuses a buffer changes nothing here."""
    return replace(
        encoded,
        global_code=encoded.global_code.copy(),
        window_codes=encoded.window_codes.copy(),
        window_ids=encoded.window_ids.copy(),
    )


def _is_wanted(info: FrameInfo, wanted: WantedStudies) -> bool:
    given = (wanted.study_uid, wanted.patient_key, wanted.modality, wanted.body_part)
    held = (info.study_uid, info.patient_key, info.modality, info.body_part)
    if any(value not in (None, own) for value, own in zip(given, held, strict=True)):
        return False
    if wanted.since is None and wanted.until is None:
        return True
    day = info.study_date
    return day is not None and (wanted.since or day) <= day <= (wanted.until or day)


def _patient(key: str, infos: Sequence[FrameInfo], firsts: Sequence[FrameInfo]) -> PatientInfo:
    days = [info.study_date for info in firsts if info.study_date is not None]
    return PatientInfo(
        key,
        len({info.study_uid for info in infos}),
        len({info.series_uid for info in infos}),
        len(infos),
        min(days, default=None),
        max(days, default=None),
        tuple(sorted({info.modality for info in firsts})),
    )
