"""The searches of an archive for Python."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hmar.batch import answer_batch
from hmar.errors import InputError, ParameterError
from hmar.groups import frames_of_group
from hmar.library.images import Openable, OpenedImage, open_with
from hmar.library.patients import is_passing
from hmar.library.selecting import selection_from
from hmar.properties.python_filters import FilterValue, given_filters
from hmar.values.codes import Bits
from hmar.values.fast import Search
from hmar.values.frames import Frame
from hmar.values.groups import Aggregation, GroupLevel, GroupMode, GroupResults
from hmar.values.hits import Mode
from hmar.values.indexed import Indexed
from hmar.values.judged import Judged
from hmar.values.outline import RegionLike, searched_regions_of
from hmar.values.results import Results
from hmar.values.selection import Exclusion, GroupBy, Same, Selection
from hmar.wiring import Engine


class Searches:
    """What an archive can be searched for. :class:`hmar.Archive` is one.

    Parameters
    ----------
    engine : Engine
        What is searched.
    passing : bool
        Whether the archive, and with it its keys of patients, is gone with the process.
    """

    def __init__(self, engine: Engine, passing: bool) -> None:
        self.engine = engine
        self._passing = passing

    def search(
        self,
        image: Openable | OpenedImage | Frame,
        box: RegionLike | Sequence[RegionLike] | None = None,
        k: int = 10,
        mode: Mode | None = None,
        bits: Bits = 128,
        *,
        frame_number: int = 1,
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        only: Collection[str] | None = None,
        group_by: GroupBy | None = None,
        relevant: Sequence[Indexed] = (),
        not_relevant: Sequence[Indexed] = (),
        search: Search | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> Results:
        """Find the frames most like an image, or those that hold something most like regions of it.

        Parameters
        ----------
        image : path, bytes, OpenedImage or Frame
            What to search with; it need not be in the archive.
        box : Box, tuple of float, Outline, or a list of up to 16 of them, optional
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
        only : collection of str, optional
            Find nothing but what belongs to the series with these UIDs, 1 to 1000 of them; one that is not
            indexed finds nothing.
        group_by : str, optional
            One hit for each "series", "study" or "patient", its nearest frame. "place": one for each series,
            up to 100, with the slices around its nearest frame that show the regions too, as ``hit.place``.
        relevant, not_relevant : sequence of Hit, EntryInfo or IndexedFrame
            Hits of this search that are what was looked for, and hits that are not, up to 100 each: the
            archive is searched with a query that is refined by them. They are found again, ranked anew.
        search : str, optional
            "exact" compares every frame that may be found. "fast" takes a fraction of the time in a large
            archive: distances, boxes and order are exact, but a hit may be missing, and ``thoroughness`` of
            the results says how many are expected to be there. It is exact all the same where that costs no
            more. None is fast from ``HMAR_FAST_ABOVE`` windows on.
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
        NotFoundError
            If a judged frame is not in the archive.
        ParameterError
            If any of the others is out of its range, or a frame is judged twice.
        """
        selection = selection_from(given_filters(where, filters), collection, group_by, only)
        exclusion, judged = _exclusion(exclude), Judged.of(relevant, not_relevant)
        frame = self._query_frame(image, frame_number)
        selection = self._among(selection, frame, exclusion)
        searcher, links = self.engine.searcher, self.engine.links
        return links.on(
            searcher.answer(
                frame, searched_regions_of(box), k, mode, selection, bits, judged=judged, search=search
            )
        )

    def search_batch(
        self,
        queries: Sequence[tuple[Openable | OpenedImage | Frame, RegionLike | Sequence[RegionLike] | None]],
        k: int = 10,
        mode: Mode | None = None,
        bits: Bits = 128,
        *,
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        only: Collection[str] | None = None,
        group_by: GroupBy | None = None,
        search: Search | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> list[Results | InputError]:
        """Answer several queries; one that cannot be answered does not end the others.

        An image that comes several times is read and encoded once.

        Parameters
        ----------
        queries : sequence of (image, box)
            As for :meth:`search`; box None searches for the whole image. Of a file, its first frame.
        k, mode, bits, collection, exclude, only, group_by, search, where, **filters
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
        selection = selection_from(given_filters(where, filters), collection, group_by, only)
        exclusion, searcher, links = _exclusion(exclude), self.engine.searcher, self.engine.links

        def opened(image: Openable | OpenedImage | Frame) -> tuple[Frame, Selection]:
            frame = self._query_frame(image, 1)
            return frame, self._among(selection, frame, exclusion)

        return answer_batch(
            [(image, searched_regions_of(box)) for image, box in queries],
            opened,
            lambda frame, chosen, asked: [
                links.on(answer) for answer in searcher.answers(frame, asked, k, mode, chosen, bits, search)
            ],
        )

    def search_series(
        self,
        series_uid: str,
        k: int = 10,
        mode: GroupMode | None = None,
        bits: Bits = 128,
        *,
        aggregation: Aggregation = "late_interaction",
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        only: Collection[str] | None = None,
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
        mode : str, optional
            "global" compares whole frames, "local" their windows. If not given, it is "local", and "global"
            by "mean".
        aggregation : str
            "late_interaction": the mean over frames of the query, up to 16, of the distance to the nearest
            frame of a series. "mean": the distance between mean codes.
        bits, collection, exclude, only, where, **filters
            As for :meth:`search`.

        Raises
        ------
        NotFoundError
            If the series is not indexed.
        ParameterError
            If any of the others is out of its range.
        """
        selection = selection_from(given_filters(where, filters), collection, only=only)
        return self._search_group("series", series_uid, k, mode, bits, aggregation, selection, exclude)

    def search_study(
        self,
        study_uid: str,
        k: int = 10,
        mode: GroupMode | None = None,
        bits: Bits = 128,
        *,
        aggregation: Aggregation = "late_interaction",
        collection: str | None = None,
        exclude: Same | Exclusion | None = None,
        only: Collection[str] | None = None,
        where: Mapping[str, FilterValue] | None = None,
        **filters: FilterValue,
    ) -> GroupResults:
        """Find the studies most like one of the archive; otherwise as :meth:`search_series`."""
        selection = selection_from(given_filters(where, filters), collection, only=only)
        return self._search_group("study", study_uid, k, mode, bits, aggregation, selection, exclude)

    def _search_group(
        self,
        level: GroupLevel,
        uid: str,
        k: int,
        mode: GroupMode | None,
        bits: Bits,
        aggregation: Aggregation,
        selection: Selection,
        exclude: Same | Exclusion | None,
    ) -> GroupResults:
        engine, exclusion = self.engine, _exclusion(exclude)
        frames = frames_of_group(engine.catalogue, engine.encoder.fingerprint, level, uid)
        chosen = engine.searcher.without(selection, exclusion, frames[0].info)
        return engine.searcher.group(level, frames, k, mode, chosen, bits, aggregation)

    def _among(self, selection: Selection, frame: Frame, exclusion: Exclusion) -> Selection:
        if exclusion.same == "patient":
            self._check(frame)
        return self.engine.searcher.without(selection, exclusion, frame.info)

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


def _exclusion(exclude: Same | Exclusion | None) -> Exclusion:
    return exclude if isinstance(exclude, Exclusion) else Exclusion(exclude)
