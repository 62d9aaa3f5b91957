"""An archive for Python: add images, search them, read them again."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from hmar.adapters.memory import InlineQueue
from hmar.batch import answer_batch
from hmar.config import IN_MEMORY, Settings
from hmar.decoding.limits import DecodeLimits
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import InputError, ParameterError, shown
from hmar.groups import frames_of_group
from hmar.library.added import Added
from hmar.library.adding import Addable, Adder, Progress, silent
from hmar.library.images import Openable, OpenedImage, open_with
from hmar.library.models import Model, load_model
from hmar.library.patients import PassingDecoder, is_passing, process_hasher
from hmar.library.selecting import FilterValue, selection_from
from hmar.ports import FrameEncoder
from hmar.removal import one_selector, settle
from hmar.values.codes import Bits
from hmar.values.deletion import Extent, Level
from hmar.values.entries import EntryInfo, SeriesInfo
from hmar.values.frames import Frame, FrameInfo
from hmar.values.geometry import BoxLike, regions_of
from hmar.values.groups import Aggregation, GroupLevel, GroupMode, GroupResults
from hmar.values.hits import Hit, Mode
from hmar.values.results import Results
from hmar.values.selection import Exclusion, GroupBy, Same, Selection
from hmar.wiring import build_engine

DEFAULT_COLLECTION = "default"


class Archive:
    """Images that can be searched: in memory, or in a data directory.

    Searches are thread-safe; images are added one call at a time. A context manager: on leaving it, threads
    and connections are given back, and what is in memory is gone.

    ``engine`` is what it is made of, for what has no method here.

    Parameters
    ----------
    folder : path, optional
        A data directory, such as the one that ``hmar serve`` works in (HMAR_HOME); created where there is
        none. None keeps everything in memory, unless ``settings`` are given: then it is their home.
    model : str, path or Model, optional
        What makes the codes, see :func:`hmar.load_model`. Frames that another model encoded stay, and are not
        seen.
    settings : Settings, optional
        Limits, threads, and another database than the folder's; ``folder`` comes before its home. None takes
        the defaults, whatever the environment says.

    Raises
    ------
    ModelError
        If there is no such model.
    ConfigError
        If the settings or the folder cannot be used.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        model: str | os.PathLike[str] | FrameEncoder | None = None,
        *,
        settings: Settings | None = None,
    ) -> None:
        chosen = _settings(folder, settings)
        queue = InlineQueue()
        self._passing = chosen.in_memory
        self.engine = build_engine(
            chosen,
            _encoder(model, chosen),
            queue,
            decoder=PassingDecoder(DecodeLimits.of(chosen)) if self._passing else None,
        )
        self._adder = Adder(self.engine, queue, self._check)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back threads, processes and connections; the archive is not used afterwards."""
        self.engine.close()
        if self._passing:
            self.engine.decoder.close()

    @property
    def model(self) -> Model:
        """What makes the codes."""
        encoder = self.engine.encoder
        return encoder if isinstance(encoder, Model) else Model(encoder)

    def __len__(self) -> int:
        """Return the number of frames that can be found."""
        self.engine.searcher.refresh()
        return self.engine.index.stats().frames

    def open(self, image: Openable) -> OpenedImage:
        """Open a file as this archive does, with its limits and its keys of patients.

        See :func:`hmar.open_image`, whose keys an archive in memory shares and one on disk does not.
        """
        return open_with(self.engine.decoder, image, self.engine.settings.max_file_bytes)

    def add(
        self,
        images: Addable,
        *,
        collection: str = DEFAULT_COLLECTION,
        label: str | None = None,
        progress: Progress = silent,
    ) -> Added:
        """Index images. What is there already stays as it is, and an interrupted call is simply made again.

        Parameters
        ----------
        images : path, bytes, OpenedImage, Frame or iterable of Frame
            A folder is taken with all below it. Files are left where they are and must stay there to be shown
            again; bytes are kept; of frames only the codes are kept.
        collection : str
            Name to keep the images under.
        label : str, optional
            Short text to find them by.
        progress : callable, optional
            Called with (files done, files known so far) while a folder is indexed.

        Returns
        -------
        Added
            How many files were new or unchanged, and which could not be read as a whole or in part, with the
            reason: one bad file does not end a folder.

        Raises
        ------
        ConflictError
            If another image has the SOP Instance UID of a frame that is handed over as one, and HMAR_SAME_UID
            is to refuse that.
        DecodeError
            If a frame cannot be decoded, among those that are handed over as frames.
        NotFoundError
            If there is no such file or folder.
        ParameterError
            If the collection's name or the label cannot be used, or a frame comes from
            :func:`hmar.open_image` where this archive, being on disk, has patient keys of its own.
        """
        with self._lock:
            return self._adder.add(images, collection, label, progress)

    def search(
        self,
        image: Openable | OpenedImage | Frame,
        box: BoxLike | Sequence[BoxLike] | None = None,
        k: int = 10,
        mode: Mode | None = None,
        bits: Bits = 128,
        *,
        frame_number: int = 1,
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        group_by: GroupBy | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> Results:
        """Find the frames most like an image, or those that hold something most like regions of it.

        Parameters
        ----------
        image : path, bytes, OpenedImage or Frame
            What to search with; it need not be in the archive.
        box : Box, tuple of float, or a list of up to 16 of them, optional
            The region as (x, y, width, height) in pixels of the frame, or several that are searched for
            together: a frame's distance is then the mean of its distances to each. None searches for the
            whole image.
        k : int
            Number of hits, from 1 to 1000; fewer come back where there are fewer.
        mode : str, optional
            "global" compares whole images, "local" windows, "auto" both, weighed. By default
            "local" for a region and "auto" for a whole image.
        bits : int
            64 or 128.
        frame_number : int
            Frame of a file with several, from 1.
        collection : str, optional
            Search this collection alone.
        exclude : str or Exclusion, optional
            Leave out what the image itself belongs to: its "instance", "series", "study" or "patient"; or
            what an :class:`hmar.Exclusion` names.
        group_by : str, optional
            One hit for each "series", "study" or "patient", its nearest frame.
        where : mapping, optional
            Filters by name, besides ``filters``.
        **filters
            By the names of :class:`hmar.properties.table.Properties`. A text, such as ``modality``: one, or
            any of several. ``contrast``: True or False. A range, such as ``age_years`` or ``study_date``: the
            least and the greatest, either of them None. They hold before the k nearest are taken.

        Raises
        ------
        DecodeError
            If the image cannot be read.
        RegionError
            If the box is not four finite numbers, or lies outside the frame.
        ParameterError
            If any of the others is out of its range.
        """
        selection = selection_from(_joined(where, filters), collection, group_by)
        frame = self._query_frame(image, frame_number)
        selection = self._excluding(selection, frame, exclude)
        return self.engine.searcher.answer(frame, regions_of(box), k, mode, selection, bits)

    def search_batch(
        self,
        queries: Sequence[tuple[Openable | OpenedImage | Frame, BoxLike | Sequence[BoxLike] | None]],
        k: int = 10,
        mode: Mode | None = None,
        bits: Bits = 128,
        *,
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        group_by: GroupBy | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> list[Results | InputError]:
        """Answer several queries; one that cannot be answered does not end the others.

        An image that comes several times is read and encoded once.

        Parameters
        ----------
        queries : sequence of (image, box)
            As for :meth:`search`; box None searches for the whole image. Of a file, its first frame.
        k, mode, bits, collection, exclude, group_by, where, **filters
            As for :meth:`search`, for all queries.

        Returns
        -------
        list of Results or InputError
            In the order of the queries; an error where an image cannot be read, or a region lies outside.

        Raises
        ------
        ParameterError
            If any of the others is out of its range.
        RegionError
            If a box is not four finite numbers.
        """
        selection = selection_from(_joined(where, filters), collection, group_by)
        searcher = self.engine.searcher

        def opened(image: Openable | OpenedImage | Frame) -> tuple[Frame, Selection]:
            frame = self._query_frame(image, 1)
            return frame, self._excluding(selection, frame, exclude)

        return answer_batch(
            [(image, regions_of(box)) for image, box in queries],
            opened,
            lambda frame, chosen, asked: searcher.answers(frame, asked, k, mode, chosen, bits),
        )

    def search_series(
        self,
        series_uid: str,
        k: int = 10,
        mode: GroupMode = "global",
        bits: Bits = 128,
        *,
        aggregation: Aggregation = "late_interaction",
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> GroupResults:
        """Find the series most like one of the archive, which is left out itself; no pixel is read.

        Parameters
        ----------
        series_uid : str
            An indexed series.
        k : int
            Number of hits, from 1 to 1000.
        mode : str
            "global" compares whole frames, "local" their windows.
        aggregation : str
            "late_interaction": the mean over frames of the query, up to 16, of the distance to the nearest
            frame of a series. "mean": the distance between mean codes.
        bits, collection, exclude, where, **filters
            As for :meth:`search`.

        Raises
        ------
        NotFoundError
            If the series is not indexed.
        ParameterError
            If any of the others is out of its range.
        """
        selection = selection_from(_joined(where, filters), collection)
        return self._search_group("series", series_uid, k, mode, bits, aggregation, selection, exclude)

    def search_study(
        self,
        study_uid: str,
        k: int = 10,
        mode: GroupMode = "global",
        bits: Bits = 128,
        *,
        aggregation: Aggregation = "late_interaction",
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> GroupResults:
        """Find the studies most like one of the archive; otherwise as :meth:`search_series`."""
        selection = selection_from(_joined(where, filters), collection)
        return self._search_group("study", study_uid, k, mode, bits, aggregation, selection, exclude)

    def _search_group(
        self,
        level: GroupLevel,
        uid: str,
        k: int,
        mode: GroupMode,
        bits: Bits,
        aggregation: Aggregation,
        selection: Selection,
        exclude: Same | Exclusion | None,
    ) -> GroupResults:
        engine = self.engine
        frames = frames_of_group(engine.catalogue, engine.encoder.fingerprint, level, uid)
        chosen = self._without(selection, frames[0].info, exclude)
        return engine.searcher.group(level, frames, k, mode, chosen, bits, aggregation)

    def _excluding(self, selection: Selection, frame: Frame, exclude: Same | Exclusion | None) -> Selection:
        if "patient" in (exclude, getattr(exclude, "same", None)):
            self._check(frame)
        return self._without(selection, frame.info, exclude)

    def _without(self, selection: Selection, own: FrameInfo, exclude: Same | Exclusion | None) -> Selection:
        exclusion = exclude if isinstance(exclude, Exclusion) else Exclusion(exclude)
        return self.engine.searcher.without(selection, exclusion, own)

    def _query_frame(self, image: Openable | OpenedImage | Frame, frame_number: int) -> Frame:
        if isinstance(image, Frame):
            return image
        source = image.source if isinstance(image, OpenedImage) else image
        max_bytes = self.engine.settings.max_file_bytes
        opened = open_with(self.engine.decoder, source, max_bytes, first_frame=frame_number == 1)
        if not 1 <= frame_number <= len(opened):
            raise ParameterError(
                f"Frame {frame_number} was asked for.", f"Give a frame from 1 to {len(opened)}."
            )
        return opened[frame_number - 1]

    def _check(self, frame: Frame) -> None:
        """Raise ParameterError for a frame whose patient's key means nothing in this archive."""
        if not self._passing and is_passing(frame.info.patient_key):
            raise ParameterError(
                "The frame was opened by hmar.open_image, whose patient keys mean nothing in this archive.",
                "Give the file itself, or open it with the archive's own open().",
            )

    def frame(self, found: Hit | EntryInfo) -> Frame:
        """Read the pixels of a hit, or of a frame of the archive, again.

        Raises
        ------
        NotFoundError
            If its file is gone or holds another image by now, or it was added as a frame.
        """
        return self.engine.frame(found.entry if isinstance(found, Hit) else found)

    def series(self) -> list[SeriesInfo]:
        """List the series, in order of collection, study and series."""
        return self.engine.catalogue.series(self.engine.encoder.fingerprint)

    def frames(self, series_uid: str | None = None, collection: str | None = None) -> list[EntryInfo]:
        """List the frames of one series, or of all, each series in display order."""
        return [
            entry
            for series in self.series()
            if series_uid in (None, series.series_uid) and collection in (None, series.collection)
            for entry in self.engine.catalogue.frames(
                series.collection, series.series_uid, self.engine.encoder.fingerprint
            )
        ]

    def delete(
        self,
        *,
        instance_uid: str | None = None,
        series_uid: str | None = None,
        study_uid: str | None = None,
        patient_id: str | None = None,
        issuer: str = "",
        collection: str | None = None,
    ) -> Extent:
        """Delete an instance, a series, a study or a patient: all frames, of every model.

        Their codes, what is known of them, and the bytes that were kept of them are gone from the data
        directory on return. Files that were indexed where they lie stay there.

        Parameters
        ----------
        instance_uid, series_uid, study_uid : str, optional
            What to delete; one of these or ``patient_id``.
        patient_id : str, optional
            As the files have it; it is hashed at once and kept nowhere.
        issuer : str
            Issuer of the patient id (0010,0021), where the files have one.
        collection : str, optional
            Delete from this collection alone. None deletes from all.

        Returns
        -------
        Extent
            Numbers of frames, instances, series and studies deleted; all 0 where nothing matched.

        Raises
        ------
        ParameterError
            Unless exactly one thing to delete is given.
        """
        uids: dict[Level, str | None] = {"instance": instance_uid, "series": series_uid, "study": study_uid}
        key = None if patient_id is None else self._hasher().key(patient_id, issuer)
        selector = one_selector(uids, patient_id is not None, key)
        with self._lock:
            extent = self.engine.remover.delete(selector, collection).extent
            settle(self.engine.searcher.refresh, self.engine.index)
        return extent

    def _hasher(self) -> PatientHasher:
        return process_hasher() if self._passing else PatientHasher(self.engine.secrets.patient)


def _joined(
    where: Mapping[str, FilterValue] | None, filters: Mapping[str, FilterValue]
) -> dict[str, FilterValue]:
    if twice := sorted(set(where or ()) & set(filters)):
        raise ParameterError(f"The filter {shown(twice[0])} is given twice.", "Give it once.")
    return {**(where or {}), **filters}


def _settings(folder: str | os.PathLike[str] | None, settings: Settings | None) -> Settings:
    if folder is not None:
        return replace(settings or Settings(), home=Path(folder)).checked()
    return (settings or Settings(database_url=IN_MEMORY)).checked()


def _encoder(model: str | os.PathLike[str] | FrameEncoder | None, settings: Settings) -> FrameEncoder | None:
    """Return the model that was asked for, None for the one that the settings name."""
    if model is None:
        return None
    if isinstance(model, str | os.PathLike):
        return load_model(model, threads=settings.encoder_threads)
    return model
