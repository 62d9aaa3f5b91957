"""Labels of what is indexed, and how they change."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hmar.properties.kinds.labels import LENGTH
from hmar.values.deletion import Selector
from service.models.asked import FormBody, JsonBody
from service.models.files import Table
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.names import UID_PATTERN, Collection, Label
from service.models.numbers import Count
from service.models.remedy import Remedy

MAX_UIDS = 1000
_Uids = Annotated[
    list[Annotated[str, Field(strict=True, pattern=UID_PATTERN)]],
    Field(min_length=1, max_length=MAX_UIDS),
    Remedy(f"Give 1 to {MAX_UIDS} UIDs."),
]
_HERE = "Only in this collection; in all that the key sees if left out."


class UidLabels(JsonBody):
    """One label for some UIDs."""

    level: Literal["instance", "series", "study"] = "instance"
    uids: _Uids
    label: Label | None = Field(description=f"1 to {LENGTH} printable characters. Null takes labels away.")
    collection: LeftOut[Collection] = Field(default=None, description=_HERE)

    def labels(self) -> dict[Selector, str | None]:
        """Return the label of each thing that is named."""
        return {Selector(self.level, uid): self.label for uid in self.uids}


class TableOfLabels(FormBody):
    """A label for each UID of a table."""

    file: Table = Field(repr=False)
    collection: LeftOut[Collection] = Field(default=None, description=_HERE)


class LabelNote(Given):
    """What the site says of a label."""

    label: str
    name: str | None = Field(description="What it stands for; null where the site says nothing of that.")
    differential: list[str] = Field(description="What may look like it.")
    note: str | None


class LabelNotes(Given):
    """Notes, in the order of the site's file."""

    labels: list[LabelNote]


class Relabelled(Given):
    """What became of a change of labels."""

    changed: Count = Field(description="Frames, of every model, with a new label.")
    unchanged: Count = Field(description="Frames that had it already.")
    unknown: list[str] = Field(description="UIDs of which nothing is indexed.")
