"""A server's archive for Python."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

from hmar.client.adding import Sender
from hmar.client.api import Api, made_of, read
from hmar.client.connection import Connection
from hmar.client.explaining import ClientWhy
from hmar.client.exporting import ClientExports
from hmar.client.feedback import ClientFeedback
from hmar.client.files import Addable
from hmar.client.jobs import ClientJobs
from hmar.client.labelling import ClientLabels
from hmar.client.listing import ClientLists
from hmar.client.models import ClientModels
from hmar.client.pixels import frame_of
from hmar.client.queries import as_form, file_bytes, given
from hmar.client.searching import ClientSearches
from hmar.client.server import Server
from hmar.client.upkeep import ClientUpkeep
from hmar.client.webhooks import ClientWebhooks
from hmar.errors import NotFoundError, OperatorError, ParameterError
from hmar.pauses import Pauses
from hmar.values.added import Added, Progress, silent
from hmar.values.deletion import Extent
from hmar.values.geometry import BoxLike, regions_of
from hmar.values.indexed import Indexed, collection_of, named
from hmar.values.stored import StoredFrame

DEFAULT_COLLECTION = "default"
READ_S = 60.0
STALLED_S = 300.0


class Client(
    ClientSearches,
    ClientWhy,
    ClientExports,
    ClientLists,
    ClientLabels,
    ClientJobs,
    ClientFeedback,
    ClientModels,
    ClientUpkeep,
    ClientWebhooks,
):
    """The archive of a server, with the verbs of :class:`hmar.Archive` and the values that it gives.

    A request that is refused for want of room (429, 503) is sent again up to five times, as the server's
    Retry-After says; a deletion is not. Any number of threads may use one client. A context manager: on
    leaving it, connections are closed.

    Parameters
    ----------
    url : str, optional
        Of the server, with the path that a proxy may have it below. Without it, HMAR_SERVER counts, else
        http://127.0.0.1:8080. Between machines use https: certificates are verified.
    key : str, optional
        An API key; without it HMAR_API_KEY counts, else the file that HMAR_API_KEY_FILE names. No text of the
        client or of an error shows it.
    timeout_s : float
        Longest silence of the server, in seconds.
    ca_file : path, optional
        Certificates in PEM to trust in place of the system's, such as those of a site's own authority.

    Raises
    ------
    ConfigError
        If the address, the key or the certificates cannot be used.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout_s: float = READ_S,
        ca_file: str | os.PathLike[str] | None = None,
    ) -> None:
        server = Server.of(url, key, os.environ)
        self._connection = Connection(server.url, timeout_s, None if ca_file is None else Path(ca_file))
        self._url = server.url
        super().__init__(Api(server, self._connection, Pauses()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"hmar.Client({self._url!r})"

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()

    def ready(self) -> bool:
        """Return whether the server is there, and all that it needs works; the key does not count."""
        try:
            return self._api.ready()
        except OperatorError:
            return False

    def add(
        self,
        images: Addable,
        *,
        collection: str = DEFAULT_COLLECTION,
        label: str | None = None,
        keep_names: bool = False,
        progress: Progress = silent,
        stalled_s: float = STALLED_S,
    ) -> Added:
        """Send files to be indexed, and wait until they can be found.

        Images that are indexed already stay as they are: an interrupted call is simply made again.

        Parameters
        ----------
        images : path, bytes, or iterable of these
            A folder is taken with all below it; links to folders are not followed. Its files that are no
            images, and masks, are not sent.
        collection : str
            Name to keep the images under.
        label : str, optional
            Short text to find them by.
        keep_names : bool
            Whether to send names of files, without their folders, for the server to keep with the job: they
            may be patients'. Otherwise only the outcome has them, which is made here.
        progress : callable, optional
            Called with (files done, files to send).
        stalled_s : float
            Seconds to wait for a worker that does nothing.

        Returns
        -------
        Added
            How many files were new or unchanged, and which could not be read, with the reason: one bad file
            does not end a folder.

        Raises
        ------
        NotFoundError
            If there is no such file or folder.
        ParameterError
            If the collection's name or the label cannot be used.
        UnavailableError
            If no worker goes on with the files. The server keeps them, and indexes them when one does.
        """
        sender = Sender(self._api, stalled_s, keep_names=keep_names)
        return sender.add(images, collection, label, progress)

    def pixels(self, found: Indexed) -> StoredFrame:
        """Read a hit, or a frame of the archive, as its file stores it; see :meth:`hmar.Archive.pixels`.

        Of ``info``, UIDs but its own and all properties are unknown.

        Raises
        ------
        NotFoundError
            If it is not in the archive, or its file is not there any more.
        """
        answer = self._api.answer(_frame_path(found, "pixels"), _collection_query(found))
        return made_of(lambda: frame_of(answer.data, answer.headers, named(found)))

    def picture(
        self,
        found: Indexed,
        window: tuple[float, float] | None = None,
        *,
        size: int | None = None,
        boxes: Sequence[BoxLike] = (),
    ) -> bytes:
        """Return a hit, or a frame of the archive, as PNG; see :meth:`hmar.Archive.picture`.

        Parameters
        ----------
        found : IndexedFrame, Hit or EntryInfo
        window : tuple of float, optional
            Display window (centre, width) in HU, or in percent of the full range where values are not HU.
        size : int, optional
            The longer side in pixels: 64, 128, 256, 512 or 1024.
        boxes : sequence of Box
            Places to draw a box around, in pixels of the frame; up to 16.

        Raises
        ------
        NotFoundError
            If it is not in the archive, or its file is not there any more.
        ParameterError
            If there is no such size, or there are too many boxes.
        RegionError
            If a box lies outside the frame.
        """
        query: dict[str, str | int | list[str]] = {**_collection_query(found), **_shown(window)}
        if size is not None:
            query["size"] = size
        if drawn := regions_of(boxes or None):
            query["box"] = [",".join(map(str, box)) for box in drawn]
        return self._api.get(_frame_path(found, "image"), query)

    def render(
        self,
        image: str | os.PathLike[str] | bytes,
        window: tuple[float, float] | None = None,
        *,
        frame_number: int = 1,
    ) -> bytes:
        """Return a frame of a file as PNG, as :meth:`picture` does; the server keeps nothing of the file.

        Parameters
        ----------
        image : path or bytes
        window : tuple of float, optional
            As for :meth:`picture`.
        frame_number : int
            From 1.

        Raises
        ------
        DecodeError
            If the file cannot be read, or holds no image.
        """
        fields = as_form({"frame": frame_number, **_shown(window)})
        return self._api.post_files("/api/v1/render", fields, [file_bytes(image)])

    def picture_url(self, found: Indexed) -> str:
        """Return the address of a picture, which a browser shows to those who are logged in to the page."""
        query = urlencode(_collection_query(found))
        return self._url + _frame_path(found, "image") + (query and f"?{query}")

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
        """Delete an instance, a series, a study or a patient; see :meth:`hmar.Archive.delete`.

        It is asked for once: if the answer does not come, ask what is left, or delete again.
        """
        uids = given(instance=instance_uid, series=series_uid, study=study_uid)
        if len(uids) + (patient_id is not None) != 1:
            raise ParameterError(
                f"{len(uids) + (patient_id is not None)} things to delete are given.",
                "Give one of instance_uid, series_uid, study_uid and patient_id.",
            )
        [(level, uid)] = uids.items() or [("patient", None)]
        who = {"patient_id": patient_id, "issuer": issuer} if uid is None else {"uid": uid}
        fields = given(level=level, collection=collection, **who)
        try:
            answer = self._api.post("/api/v1/deletions", fields, repeatable=False)
        except NotFoundError:
            return Extent(0, 0, 0, 0)
        return read(answer, Extent.from_dict)


def _shown(window: tuple[float, float] | None) -> dict[str, str]:
    return {} if window is None else {"centre": f"{window[0]:g}", "width": f"{window[1]:g}"}


def _collection_query(found: Indexed) -> dict[str, str]:
    collection = collection_of(found)
    return {} if collection is None else {"collection": collection}


def _frame_path(found: Indexed, part: str) -> str:
    name = named(found)
    return f"/api/v1/instances/{quote(name.sop_instance_uid, safe='')}/frames/{name.frame_number}/{part}"
