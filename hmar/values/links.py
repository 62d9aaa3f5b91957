"""Addresses of frames in viewers of a site, made of a template and UIDs."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from hmar.errors import ConfigError, shown
from hmar.values.frames import FrameInfo

FIELDS = ("study", "series", "sop", "frame")
"""What may stand in braces: UIDs of study, series and instance, and the number of the frame."""
_HOST = re.compile(r"https?://[^/?#{}@\s]+(?:[/?#]|$)")


@dataclass(frozen=True, slots=True)
class Template:
    """An http or https address with ``{study}``, ``{series}``, ``{sop}`` and ``{frame}`` behind its host.

    Parameters
    ----------
    text : str
    """

    text: str

    @classmethod
    def parse(cls, name: str, text: object) -> Self:
        """Read the viewer that a PACS's table names; raises ConfigError for what no link can be made of."""
        if not isinstance(text, str) or not _HOST.match(text) or not text.isprintable() or " " in text:
            raise ConfigError(
                f"{name} has {shown(text)} as viewer.",
                "Give an http or https address such as https://ohif.example/viewer?StudyInstanceUIDs={study}.",
            )
        try:
            used = [field for _, field, _, _ in string.Formatter().parse(text) if field is not None]
            plain = all(
                spec in (None, "") and conversion is None
                for _, _, spec, conversion in string.Formatter().parse(text)
            )
        except ValueError:
            used, plain = [], False
        if not plain or not set(used) <= set(FIELDS) or "study" not in used:
            raise ConfigError(
                f"{name} has {shown(text)} as viewer.",
                f"Use {{study}}, and of {', '.join(FIELDS[1:])} in braces what the viewer knows.",
            )
        return cls(text)

    def link(self, info: FrameInfo) -> str:
        """Return the address of a frame; everything in it is percent-encoded."""
        values = (info.study_uid, info.series_uid, info.sop_instance_uid, str(info.frame_number))
        return self.text.format(
            **{key: quote(value, safe="") for key, value in zip(FIELDS, values, strict=True)}
        )
