"""Hits as DICOM, as a server makes them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Unpack

from hmar.client.api import Api, made_of, read
from hmar.client.queries import (
    Fields,
    exclusion_field,
    frame_fields,
    given,
    judged_fields,
    only_field,
    query_fields,
    region_fields,
)
from hmar.errors import UnavailableError
from hmar.properties.python_filters import filters_as_json
from hmar.values.asked import HowSearched
from hmar.values.exports import KINDS, Export, Kind, kinds_of
from hmar.values.indexed import Indexed
from hmar.values.outline import RegionLike

EXPORTS = "/api/v1/exports"


class ClientExports:
    """Hits as DICOM documents. :class:`hmar.Client` has them made.

    Parameters
    ----------
    api : Api
        What is asked.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def export(
        self,
        image: Indexed,
        box: RegionLike | Sequence[RegionLike] | None = None,
        *,
        kinds: Sequence[Kind] = KINDS,
        hits: Sequence[Indexed] | None = None,
        **how: Unpack[HowSearched],
    ) -> dict[Kind, bytes]:
        """Search with a frame of the archive for hits as DICOM; see :meth:`hmar.Archive.export`."""
        answer = self._api.post(EXPORTS, _fields(image, box, kinds, hits, how))
        return made_of(lambda: _unpacked(answer))

    def send(
        self,
        pacs: str,
        image: Indexed,
        box: RegionLike | Sequence[RegionLike] | None = None,
        *,
        kinds: Sequence[Kind] = KINDS,
        hits: Sequence[Indexed] | None = None,
        **how: Unpack[HowSearched],
    ) -> Export:
        """Have the documents stored to a PACS of the server; see :meth:`hmar.Archive.send`."""
        answer = self._api.post(EXPORTS, _fields(image, box, kinds, hits, how) | {"to": pacs})
        return read(answer, Export.from_dict)


def _fields(
    image: Indexed,
    box: RegionLike | Sequence[RegionLike] | None,
    kinds: Sequence[Kind],
    hits: Sequence[Indexed] | None,
    how: HowSearched,
) -> Fields:
    plain = {name: how.get(name) for name in ("k", "mode", "bits", "collection", "group_by", "search")}
    return {
        **query_fields(image),
        **region_fields(box),
        "kinds": list(kinds_of(kinds)),
        **given(
            **plain,
            hits=None if hits is None else [frame_fields(hit) for hit in hits],
            filters=filters_as_json(how.get("where") or {}) or None,
            exclude=exclusion_field(how.get("exclude")),
            only=only_field(how.get("only")),
        ),
        **judged_fields(how.get("relevant", ()), how.get("not_relevant", ())),
    }


def _unpacked(packed: bytes) -> dict[Kind, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            return {
                kind: archive.read(f"{kind}.dcm") for kind in KINDS if f"{kind}.dcm" in archive.namelist()
            }
    except zipfile.BadZipFile as error:
        raise UnavailableError(
            "The server's documents cannot be read.", "Check that the address is that of HMAR search."
        ) from error
