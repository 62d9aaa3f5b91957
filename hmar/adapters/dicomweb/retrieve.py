"""An instance of a PACS, by WADO-RS (PS3.18 10.4), in whatever form the server has it."""

from __future__ import annotations

from hmar.adapters.dicomweb.asking import Asking
from hmar.adapters.dicomweb.multipart import dicom_file
from hmar.adapters.dicomweb.sites import Site
from hmar.contents import Content
from hmar.errors import LimitError, NotFoundError
from hmar.values.pulls import InstanceReference

ACCEPTED = (
    'multipart/related; type="application/dicom"; transfer-syntax=*',
    'multipart/related; type="application/dicom"',
    'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1',
    "application/dicom",
)
"""Asked for in turn: as it is stored, as the server likes it, uncompressed, and not as multipart."""
_OVERHEAD = 1 << 16
_GONE = frozenset({404, 410})


class Retrieving:
    """Reads instances.

    A server that refuses one form of answer is asked for the next. What it sends is judged by its bytes, and
    not by what the answer's headers call it. The form that worked is asked for first from then on.

    Parameters
    ----------
    site : Site
    asking : Asking
    """

    def __init__(self, site: Site, asking: Asking) -> None:
        self._site, self._asking = site, asking
        self._accepted = list(ACCEPTED)

    def instance(self, wanted: InstanceReference, max_bytes: int) -> Content:
        """Return the DICOM file of an instance; a large one lies on the disk, until nobody refers to it.

        Raises
        ------
        NotFoundError
            If the PACS has it no more, or sends it in no form that can be read.
        LimitError
            If it has more than ``max_bytes``.
        PacsError
            If the PACS does not answer.
        """
        _, study, series, instance = wanted
        url = f"{self._site.wado}/studies/{study}/series/{series}/instances/{instance}"
        tried = []
        for accept in tuple(self._accepted):
            answer = self._asking.get(url, accept, max_bytes + _OVERHEAD)
            if answer.status in _GONE:
                raise NotFoundError(
                    f"The PACS {self._site.name} has the instance no more (status {answer.status}).",
                    "Delete it here, too, or ask the PACS where it went.",
                )
            file = dicom_file(answer.data) if answer.status < 300 else None
            if file is not None:
                self._accepted.sort(key=lambda one: one != accept)
                if len(file) > max_bytes:
                    raise LimitError(
                        f"The file has {len(file)} bytes; at most {max_bytes} are read.",
                        "Raise HMAR_MAX_FILE_BYTES to index it.",
                    )
                return file
            tried.append(
                f"{answer.status}" if answer.status >= 300 else f"{answer.status} without a DICOM file"
            )
        raise NotFoundError(
            f"The PACS {self._site.name} sends the instance in no form that can be read "
            f"(it answered {', '.join(tried)}).",
            f"Check wado in [{self._site.name}], and what the PACS can send.",
        )
