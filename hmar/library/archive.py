"""An archive for Python: add images, search them, read them again."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from hmar.adapters.memory import InlineQueue
from hmar.config import IN_MEMORY, Settings
from hmar.decoding.limits import DecodeLimits
from hmar.dicom.deidentify import PatientHasher
from hmar.image.outlines import outlined
from hmar.image.raster import png, render
from hmar.image.regions import check_box
from hmar.library.adding import Addable, Adder
from hmar.library.exporting import Exports
from hmar.library.images import Openable, OpenedImage, open_with
from hmar.library.models import Model, load_model
from hmar.library.patients import PassingDecoder, process_hasher
from hmar.library.searching import Searches
from hmar.ports import FrameEncoder
from hmar.removal import one_selector, settle
from hmar.values.added import Added, Progress, silent
from hmar.values.deletion import Extent, Level
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame
from hmar.values.geometry import BoxLike, regions_of
from hmar.values.hits import Hit
from hmar.values.picture_limits import check_picture
from hmar.values.stored import StoredFrame
from hmar.wiring import build_engine

DEFAULT_COLLECTION = "default"


class Archive(Searches, Exports):
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
        What makes the codes, see :func:`hmar.load_model`. None is the one that the archive uses when this
        object begins. Frames that another model encoded stay, and are not seen.
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
        passing = chosen.in_memory
        engine = build_engine(
            chosen,
            _encoder(model, chosen),
            queue,
            decoder=PassingDecoder(DecodeLimits.of(chosen)) if passing else None,
        )
        super().__init__(engine, passing)
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

    def frame(self, found: Hit | EntryInfo) -> Frame:
        """Read the pixels of a hit, or of a frame of the archive, again.

        Raises
        ------
        NotFoundError
            If its file is gone or holds another image by now, or it was added as a frame.
        """
        return self.engine.frame(found.entry if isinstance(found, Hit) else found)

    def pixels(self, found: Hit | EntryInfo) -> StoredFrame:
        """Read a hit, or a frame of the archive, as its file stores it.

        Returns
        -------
        StoredFrame
            ``values`` are the stored numbers: int16, uint16, or uint8 for red, green and blue. Their
            ``meaning`` says what they are: ``values * meaning.slope + meaning.intercept`` is in
            ``meaning.units``.

        Raises
        ------
        NotFoundError
            As :meth:`frame` does.
        """
        return self.engine.stored(found.entry if isinstance(found, Hit) else found)

    def picture(
        self,
        found: Hit | EntryInfo,
        window: tuple[float, float] | None = None,
        *,
        size: int | None = None,
        boxes: Sequence[BoxLike] = (),
    ) -> bytes:
        """Return a hit, or a frame of the archive, as PNG: 8-bit grey, or RGB where boxes are drawn.

        Parameters
        ----------
        found : Hit or EntryInfo
        window : tuple of float, optional
            Display window (centre, width) in HU, or in percent of the full range where values are not HU. The
            file's own without it.
        size : int, optional
            The longer side in pixels: 64, 128, 256, 512 or 1024. A smaller frame keeps its size.
        boxes : sequence of Box
            Places to draw a box around, in pixels of the frame; up to 16.

        Raises
        ------
        NotFoundError
            As :meth:`frame` does.
        ParameterError
            If there is no such size, or there are too many boxes.
        RegionError
            If a box lies outside the frame.
        """
        drawn = regions_of(boxes or None)
        check_picture(size, drawn)
        frame = self.frame(found)
        for box in drawn:
            check_box(box, frame.info, "box")
        return png(outlined(render(frame, window), drawn, size))

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
        return process_hasher() if self._passing else PatientHasher(*self.engine.secrets.patient)


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
