"""The answer to a search as DICOM documents of the query's study, and given to a PACS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from hmar.config import Others
from hmar.decoding.contained import ContainedFile
from hmar.decoding.indexed import frame_of
from hmar.errors import DecodeError, NotFoundError, ParameterError, shown
from hmar.image.answer import hit_panel, query_panels
from hmar.image.montage import Panel, montage
from hmar.image.raster import render
from hmar.ports import PacsImages
from hmar.reporting.contained import NO_PICTURE, ContainedWriter
from hmar.reporting.contents import Contents, Found, Image
from hmar.values.entries import EntryInfo
from hmar.values.exports import MOST_HITS, Documents, Export, Kind, StoredDocument
from hmar.values.frames import Frame
from hmar.values.geometry import Box
from hmar.values.hits import Hit
from hmar.values.indexed import IndexedFrame, named
from hmar.values.results import Results
from hmar.version import __version__

COLUMNS, SIDE = 4, 300
MOST_PICTURES = 16
"""Hits that the picture shows."""
TITLE = "HMAR search, for research use only; not a diagnosis"

Pixels = NDArray[np.uint8]


class Exporter:
    """The use case of telling an answer as DICOM, handed its ports.

    Parameters
    ----------
    opened : callable
        Opens the file of an indexed frame.
    writer : ContainedWriter
    pacs : callable
        Returns what is stored to.
    others : str
        What is told of hits of other patients than the query's.
    now : callable
        Returns the date and time that documents have.
    """

    def __init__(
        self,
        opened: Callable[[EntryInfo], ContainedFile],
        writer: ContainedWriter,
        pacs: Callable[[], PacsImages],
        others: Others,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._opened, self._writer, self._pacs = opened, writer, pacs
        self._now = now
        self.others = others

    def documents(
        self,
        query: EntryInfo,
        results: Results,
        kinds: tuple[Kind, ...],
        chosen: Sequence[IndexedFrame] | None = None,
    ) -> Documents:
        """Return documents of the query's study that tell the hits.

        Parameters
        ----------
        query : EntryInfo
            The indexed frame that was searched with.
        results : Results
        kinds : tuple of str
        chosen : sequence of IndexedFrame or None
            The hits to tell; None tells all.

        Raises
        ------
        ParameterError
            If there are more hits than an export tells, or the query's file has no UIDs of its own.
        NotFoundError
            If a chosen frame is no hit, no hit is left to tell, or the query's file is gone.
        DecodeError
            If the query's file is no DICOM, or cannot be read.
        """
        wanted = _chosen(results, chosen)
        if len(wanted) > MOST_HITS:
            raise ParameterError(
                f"{len(wanted)} hits are to be exported.",
                f"Export {MOST_HITS} at most: choose some, or a smaller k.",
            )
        own = [hit for hit in wanted if self.others != "none" or _same_patient(query, hit.entry)]
        file, asked = self._opened(query), "picture" in kinds
        query_image, query_frame = self._image(file, query)
        if query_image is None:
            raise DecodeError(
                "The file of the query is no DICOM with UIDs of its own.",
                "Documents can be made of searches with DICOM images alone.",
            )
        found: list[Found] = []
        panels = query_panels(render(query_frame), results.regions) if asked else []
        for hit in own:
            image, frame = self._hit(hit)
            if image is not None:
                found.append(Found(hit.rank, image, float(hit.distance), _regions(hit)))
                if asked and frame is not None:
                    panels += self._panel(query, hit, frame)
        if wanted and not found:
            raise NotFoundError(*_nothing(len(wanted), len(wanted) - len(own)))
        contents = Contents(
            kinds=kinds,
            query=query_image,
            regions=results.regions,
            hits=tuple(found),
            model=results.model,
            model_fingerprint=query.model_fingerprint,
            software=__version__,
            mode=results.mode,
            bits=results.bits,
            search=results.thoroughness.search,
            left_out=len(results.hits) - len(found),
            now=self._now().replace(tzinfo=None).isoformat(timespec="seconds"),
        )
        picture = _picture(panels[: MOST_PICTURES + len(results.regions or (None,))]) if asked else NO_PICTURE
        made = self._writer.write(contents, file.data, picture)
        return Documents(made, len(found), len(wanted) - len(own), len(own) - len(found))

    def store(self, name: str, documents: Documents) -> Export:
        """Give documents to a PACS, and return what it took.

        Raises
        ------
        NotFoundError
            If there is no PACS of that name.
        ConfigError
            If nothing says where to store to.
        PacsError
            If the PACS does not answer.
        """
        made = documents.documents
        refused = self._pacs().store(name, made[0].study_uid, made)
        stored = tuple(
            StoredDocument(
                each.kind,
                each.sop_class_uid,
                each.series_uid,
                each.sop_instance_uid,
                refused[each.sop_instance_uid],
            )
            for each in made
        )
        return Export(
            name,
            made[0].study_uid,
            stored,
            documents.hits,
            documents.other_patients,
            documents.unreadable,
        )

    def _hit(self, hit: Hit) -> tuple[Image | None, Frame | None]:
        """Return how a hit is referred to, and its frame; None for one that cannot be read any more."""
        try:
            return self._image(self._opened(hit.entry), hit.entry)
        except (NotFoundError, DecodeError):
            return None, None

    def _image(self, file: ContainedFile, entry: EntryInfo) -> tuple[Image | None, Frame]:
        """Return how an indexed frame is referred to, None where it cannot be, and the frame."""
        frame = frame_of(file, entry)
        info, sop_class = frame.info, file.sop_class()
        if sop_class is None or info.uids_derived:
            return None, frame
        number = info.frame_number if len(file.infos) > 1 else None
        image = Image(info.study_uid, info.series_uid, info.sop_instance_uid, sop_class, number)
        return image, frame

    def _panel(self, query: EntryInfo, hit: Hit, frame: Frame) -> list[Panel]:
        seen = self.others == "pictures" or _same_patient(query, hit.entry)
        return [hit_panel(hit, render(frame))] if seen else []


def _chosen(results: Results, chosen: Sequence[IndexedFrame] | None) -> list[Hit]:
    """Return the hits that were chosen, in their order; raises NotFoundError for a frame that is none."""
    if chosen is None:
        return list(results.hits)
    names, asked = {named(hit) for hit in results.hits}, set(chosen)
    remedy = "Choose from the hits, with the options that they were found by."
    if results.thoroughness.search == "fast":
        remedy += " A fast search for more hits may find others: search exactly, and choose from those."
    for frame in chosen:
        if frame not in names:
            raise NotFoundError(
                f"Frame {frame.frame_number} of instance {shown(frame.sop_instance_uid)} is no hit here.",
                remedy,
            )
    return [hit for hit in results.hits if named(hit) in asked]


def _same_patient(query: EntryInfo, other: EntryInfo) -> bool:
    """Whether two frames are of one patient; of the same study where a file does not say whose it is."""
    one, two = query.info.patient_key, other.info.patient_key
    if one is None or two is None:
        return query.info.study_uid == other.info.study_uid
    return one == two


def _regions(hit: Hit) -> tuple[tuple[Box, float], ...]:
    return tuple((region.box, float(region.distance)) for region in hit.regions)


def _picture(panels: Sequence[Panel]) -> Pixels:
    return np.asarray(montage(panels, COLUMNS, SIDE, TITLE))


def _nothing(hits: int, others: int) -> tuple[str, str]:
    if hits and others == hits:
        return (
            f"All {hits} hits are of other patients, of whom documents here tell nothing.",
            "Search among the patient's own images, or have the site set HMAR_EXPORT_OTHERS.",
        )
    return (
        f"None of {hits} hits can be told.",
        "Search for something that is found, in DICOM files that are there.",
    )
