"""What an archive for Python holds, and why one of its frames was found."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

from hmar.errors import ConflictError, DecodeError, NotFoundError, shown
from hmar.explaining import explain_indexed
from hmar.image.heat import overlay
from hmar.image.raster import png, render
from hmar.patients import key_of
from hmar.properties.kinds.labels import label_value
from hmar.relabelling import labels_of_table, relabel
from hmar.values.changes import LOOK_S, Change, followed
from hmar.values.codes import Bits
from hmar.values.collections import CollectionInfo
from hmar.values.deletion import Selector
from hmar.values.entries import EntryInfo, SeriesInfo
from hmar.values.explanations import Explanation
from hmar.values.geometry import BoxLike, regions_of
from hmar.values.indexed import Indexed, collection_of, named
from hmar.values.listed_patients import ListedPatient, PatientHandles
from hmar.values.relabelled import Relabelled
from hmar.values.studies import ListedStudy, StudyInfo
from hmar.values.wanted_studies import StudyOrder, WantedStudies
from hmar.wiring import Engine

PAGE = 1000
"""What the catalogue is asked for at a time."""


class Holdings:
    """What an archive holds. :class:`hmar.Archive` tells it.

    Parameters
    ----------
    engine : Engine
        What is asked.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def series(self, collection: str | None = None) -> list[SeriesInfo]:
        """List the series, or those of one collection, in order of collection, study and series."""
        listed = self.engine.catalogue.series(self.engine.encoder.fingerprint, collection=collection)
        return self._handles.with_handles(listed)

    def frames(self, series_uid: str | None = None, collection: str | None = None) -> list[EntryInfo]:
        """List the frames of one series, or of all, each series in display order."""
        return [
            entry
            for series in self.series(collection)
            if series_uid in (None, series.series_uid)
            for entry in self.engine.catalogue.frames(
                series.collection, series.series_uid, self.engine.encoder.fingerprint
            )
        ]

    def collections(self, collection: str | None = None) -> list[CollectionInfo]:
        """Count what the collections hold, or one of them, in order of name; all frames are gone through."""
        return self.engine.catalogue.collections(self.engine.encoder.fingerprint, collection)

    def patients(self, collection: str | None = None) -> Iterator[ListedPatient]:
        """Yield the patients, or those of one collection, by handles; in an order that means nothing.

        Studies without a patient id are of none.
        """
        offset, more = 0, True
        while more:
            patients, more = self.engine.catalogue.patient_list(
                self.engine.encoder.fingerprint, collection, offset, PAGE
            )
            yield from map(self._handles.listed, patients)
            offset += PAGE

    def studies(
        self,
        collection: str | None = None,
        *,
        patient: str | None = None,
        modality: str | None = None,
        body_part: str | None = None,
        since: date | None = None,
        until: date | None = None,
        order: StudyOrder = "uid",
    ) -> Iterator[ListedStudy]:
        """Yield the studies that have a series of which everything is true that is given.

        Parameters
        ----------
        collection : str, optional
        patient : str, optional
            Handle, as :meth:`patients` has it.
        modality, body_part : str, optional
            As files have them, such as CT and CHEST.
        since, until : date, optional
            First and last study date.
        order : str
            "uid" (by collection and UID), "newest" or "oldest"; studies without a date come last.

        Raises
        ------
        NotFoundError
            If there is no such patient.
        ParameterError
            If the last date is before the first, or there is no such order.
        """
        key = None if patient is None else self._patient_key(patient, collection)
        wanted = WantedStudies(None, key, modality, body_part, since, until, order)
        offset, more = 0, True
        while more:
            studies, more = self.engine.catalogue.studies(
                self.engine.encoder.fingerprint, collection, wanted, offset, PAGE
            )
            yield from (study.listed for study in studies)
            offset += PAGE

    def _patient_key(self, handle: str, collection: str | None) -> str:
        return key_of(
            handle, self._handles, self.engine.catalogue, self.engine.encoder.fingerprint, collection
        )

    def study(self, study_uid: str, collection: str | None = None) -> StudyInfo:
        """Return a study with its series, of the first collection that holds it where none is named.

        Raises
        ------
        NotFoundError
            If it is not indexed.
        """
        found = self.engine.catalogue.studies(
            self.engine.encoder.fingerprint, collection, WantedStudies(study_uid)
        ).studies
        if not found:
            raise NotFoundError(f"Study {shown(study_uid)} is not indexed.", "List those that are.")
        study = found[0]
        return replace(study, series=tuple(self._handles.with_handles(study.series)))

    @property
    def _handles(self) -> PatientHandles:
        return PatientHandles(self.engine.secrets.handles)

    def instance(self, sop_instance_uid: str, collection: str | None = None) -> list[EntryInfo]:
        """Return the frames of an instance in order, with all that is known of them but the patient.

        They are those of the first collection that holds it where none is named.

        Raises
        ------
        NotFoundError
            If it is not indexed.
        """
        found = self.engine.catalogue.find(sop_instance_uid, self.engine.encoder.fingerprint, collection)
        if not found:
            raise NotFoundError(f"Instance {shown(sop_instance_uid)} is not indexed.", "Add it first.")
        first = min(entry.collection for entry in found)
        return [entry for entry in found if entry.collection == first]

    def changes(
        self, after: int = 0, collection: str | None = None, *, follow: bool = False, look_s: float = LOOK_S
    ) -> Iterator[Change]:
        """Yield what was indexed and deleted since a change, oldest first.

        Parameters
        ----------
        after : int
            The ``seq`` of the last change that is known, 0 for none.
        collection : str, optional
            Only changes of this collection.
        follow : bool
            Whether to wait for further changes for ever, in place of ending behind the last one.
        look_s : float
            Pause between two looks where there is nothing new, in seconds.

        Raises
        ------
        ConflictError
            If the archive has no such change yet: it was restored from an older copy.
        """

        def look(known: int) -> tuple[Sequence[Change], int]:
            if known > self.engine.catalogue.last_seq():
                raise ConflictError(
                    f"after is {known}, beyond the log's end: it was restored from an older copy.",
                    "Begin again, with after=0.",
                )
            found = self.engine.catalogue.changes(known, PAGE, collection)
            return found.changes, found.last_seq

        return followed(look, after, follow, look_s)

    def relabel(
        self,
        uids: str | Sequence[str],
        label: str | None,
        *,
        level: Literal["instance", "series", "study"] = "instance",
        collection: str | None = None,
    ) -> Relabelled:
        """Give images that are indexed another label. Nothing is encoded again.

        Parameters
        ----------
        uids : str or sequence of str
            Of instances, series or studies, as ``level`` says.
        label : str or None
            1 to 64 printable characters; None takes labels away.
        level : str
            "instance", "series" or "study".
        collection : str, optional
            Only in this collection; in all without it.

        Raises
        ------
        ParameterError
            If the label cannot be used.
        """
        kept = None if label is None else label_value(label)
        listed = [uids] if isinstance(uids, str) else uids
        return relabel(self.engine.catalogue, {Selector(level, uid): kept for uid in listed}, collection)

    def relabel_table(
        self, table: str | os.PathLike[str] | bytes, *, collection: str | None = None
    ) -> Relabelled:
        """Give images the labels of a table in CSV.

        Parameters
        ----------
        table : path or bytes
            With a column of UIDs (sop_instance_uid, series_instance_uid or study_instance_uid) and a column
            label; up to 1000 lines.
        collection : str, optional
            Only in this collection; in all without it.

        Raises
        ------
        ParameterError
            If it is no such table. The message names the line.
        """
        return relabel(self.engine.catalogue, labels_of_table(_bytes(table)), collection)

    def why(self, query: Indexed, hit: Indexed, box: BoxLike | None = None, bits: Bits = 128) -> Explanation:
        """Say why a frame was found: where it resembles the query, in which bits, and what that means.

        Parameters
        ----------
        query, hit : IndexedFrame, Hit or EntryInfo
            The frame that was searched with and the one that was found; both are in the archive.
        box : Box or tuple of float, optional
            The region that was searched for. None compares whole images.
        bits : int
            64 or 128.

        Raises
        ------
        NotFoundError
            If one of them is not in the archive, or the query's file is gone.
        RegionError
            If the box lies outside the frame.
        """
        return self._explained(self._indexed(query), self._indexed(hit), box, bits)

    def why_picture(
        self,
        query: Indexed,
        hit: Indexed,
        box: BoxLike | None = None,
        bits: Bits = 128,
        *,
        of: Literal["hit", "query"] = "hit",
    ) -> bytes:
        """Draw the hit, or the query, as PNG, with places coloured the more, the nearer they are.

        Parameters
        ----------
        query, hit, box, bits
            As for :meth:`why`.
        of : str
            Which of the two is drawn.
        """
        asked, found = self._indexed(query), self._indexed(hit)
        explained = self._explained(asked, found, box, bits)
        entry, drawn = (found, explained.found) if of == "hit" else (asked, explained.query)
        return png(overlay(render(self.engine.frame(entry)), drawn.distances, bits))

    def _explained(self, asked: EntryInfo, found: EntryInfo, box: BoxLike | None, bits: Bits) -> Explanation:
        self.engine.searcher.refresh()
        region = None if box is None else regions_of(box)[0]
        frame = self.engine.frame(asked)
        return explain_indexed(self.engine.encoder, self.engine.codes, frame, region, asked, found, bits)

    def _indexed(self, frame: Indexed) -> EntryInfo:
        uid, number = named(frame)
        for entry in self.engine.catalogue.find(uid, self.engine.encoder.fingerprint, collection_of(frame)):
            if entry.info.frame_number == number:
                return entry
        raise NotFoundError(f"Frame {number} of instance {shown(uid)} is not indexed.", "Add it first.")


def _bytes(table: str | os.PathLike[str] | bytes) -> bytes:
    if isinstance(table, bytes):
        return table
    try:
        return Path(table).read_bytes()
    except OSError as error:
        raise DecodeError(
            f"The file cannot be read ({error.strerror}).", "Check its path and permissions."
        ) from error
