"""Files that were sent and are not kept: a PACS of the site has them, and they are read from there."""

from __future__ import annotations

from collections.abc import Callable

from hmar.contents import Content, digest_of
from hmar.errors import ConflictError, NotFoundError
from hmar.ports import ImageSource
from hmar.values.digests import pixel_digest
from hmar.values.entries import Origin
from hmar.values.frames import ImageFile
from hmar.values.pulls import PACS, InstanceReference


class InPacs:
    """Finds what was sent in a PACS.

    Parameters
    ----------
    site : str
        Name of the PACS.
    source : ImageSource
        Reads instances of it.
    decoder : callable
        Opens a file's bytes; raises DecodeError.
    max_bytes : int
        Largest file that is read.
    """

    def __init__(
        self, site: str, source: ImageSource, decoder: Callable[[Content], ImageFile], max_bytes: int
    ) -> None:
        self._site, self._source, self._decoder, self._max_bytes = site, source, decoder, max_bytes

    def origin(self, file: ImageFile, data: Content) -> Origin:
        """Return where a file can be read once it is not here any more.

        The PACS is asked for it. What it sends must be the same instance, with the same pixels in its first
        frame: whatever is shown later is compared with what was indexed, frame by frame.

        Parameters
        ----------
        file : ImageFile
            As it was sent.
        data : bytes or FileBytes
            The same.

        Raises
        ------
        NotFoundError
            If the PACS does not have it, or no PACS can: the file has no UIDs of its own.
        ConflictError
            If it has another image in its place.
        PacsError
            If it does not answer.
        """
        info = file.infos[0]
        if info.uids_derived:
            raise NotFoundError(
                f"The file has no UIDs of its own, so that the PACS {self._site} cannot have it, "
                "and what is sent is not kept here.",
                "Index it from a folder, or leave HMAR_UPLOADS_PACS empty.",
            )
        reference = InstanceReference(self._site, info.study_uid, info.series_uid, info.sop_instance_uid)
        held = self._held(reference)
        if digest_of(held) != digest_of(data):
            self._compare(reference, file, self._decoder(held))
        return Origin(PACS, str(reference))

    def _held(self, reference: InstanceReference) -> Content:
        try:
            return self._source.fetch(str(reference), self._max_bytes)
        except NotFoundError as error:
            raise NotFoundError(
                f"{error.detail} What is sent is not kept here.",
                f"Send it to the PACS {self._site} first, and then again.",
            ) from error

    def _compare(self, reference: InstanceReference, sent: ImageFile, held: ImageFile) -> None:
        reference.check(held.infos[0])
        same = len(sent.infos) == len(held.infos) and pixel_digest(sent.frame(1)) == pixel_digest(
            held.frame(1)
        )
        if not same:
            raise ConflictError(
                f"The PACS {self._site} has other pixels under the UID {reference.sop_instance_uid}.",
                "Find out which of the two is right; what is sent is not kept here.",
            )
