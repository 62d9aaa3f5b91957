"""Why a frame is among the hits, as a server explains it."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

from hmar.client.api import Api, read
from hmar.client.queries import Fields, frame_fields, given, query_fields, region_fields
from hmar.values.codes import Bits
from hmar.values.explanations import Explanation
from hmar.values.geometry import BoxLike
from hmar.values.indexed import Indexed, collection_of

WHY = "/api/v1/search/why"


class ClientWhy:
    """Explanations of hits. :class:`hmar.Client` has them.

    Parameters
    ----------
    api : Api
        What is asked.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def why(self, query: Indexed, hit: Indexed, box: BoxLike | None = None, bits: Bits = 128) -> Explanation:
        """Say why a frame was found; see :meth:`hmar.Archive.why`."""
        return read(self._api.post(WHY, _fields(query, hit, box, bits)), Explanation.from_dict)

    def why_picture(
        self,
        query: Indexed,
        hit: Indexed,
        box: BoxLike | None = None,
        bits: Bits = 128,
        *,
        of: Literal["hit", "query"] = "hit",
    ) -> bytes:
        """Draw where a hit resembles the query, as PNG; see :meth:`hmar.Archive.why_picture`."""
        return self._api.post(f"{WHY}/image?{urlencode({'of': of})}", _fields(query, hit, box, bits))


def _fields(query: Indexed, hit: Indexed, box: BoxLike | None, bits: Bits) -> Fields:
    found = frame_fields(hit) | given(collection=collection_of(hit))
    return {**query_fields(query), **region_fields(box), "hit": found, "bits": bits}
