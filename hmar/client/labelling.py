"""Other labels for what a server has indexed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, cast

from hmar.client.api import Api, read
from hmar.client.queries import file_bytes, given
from hmar.values.relabelled import Relabelled

LABELS = "/api/v1/labels"
AT_ONCE = 1000
"""UIDs of one request."""


class ClientLabels:
    """Changes of labels. :class:`hmar.Client` has them.

    Parameters
    ----------
    api : Api
        What is asked.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def relabel(
        self,
        uids: str | Sequence[str],
        label: str | None,
        *,
        level: Literal["instance", "series", "study"] = "instance",
        collection: str | None = None,
    ) -> Relabelled:
        """Give images that are indexed another label; see :meth:`hmar.Archive.relabel`."""
        listed = [uids] if isinstance(uids, str) else list(uids)
        outcome = Relabelled(0, 0, ())
        for begin in range(0, len(listed), AT_ONCE):
            some = listed[begin : begin + AT_ONCE]
            fields = {"level": level, "uids": some, "label": label, **given(collection=collection)}
            outcome += read(self._api.patch(LABELS, fields), Relabelled.from_dict)
        return outcome

    def relabel_table(
        self, table: str | os.PathLike[str] | bytes, *, collection: str | None = None
    ) -> Relabelled:
        """Give images the labels of a table in CSV; see :meth:`hmar.Archive.relabel_table`."""
        fields = cast("dict[str, str]", given(collection=collection))
        answer = self._api.post_files(LABELS, fields, [file_bytes(table)], method="PATCH")
        return read(answer, Relabelled.from_dict)
