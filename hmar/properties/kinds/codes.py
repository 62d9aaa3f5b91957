"""Code strings: modality, body part and the like."""

from __future__ import annotations

import re

from hmar.properties.kinds.any_of import AnyOf

_CODE = re.compile(r"[A-Z0-9 _/&+-]{1,16}")


class Codes(AnyOf):
    """Code strings (VR CS), in upper case."""

    remedy = "Give 1 to 16 letters, digits, spaces or _/&+-."

    def kept(self, text: str) -> str | None:
        """Return a code string in upper case; see :func:`code_value`."""
        return code_value(text)


def code_value(text: str) -> str | None:
    """Return a code string (modality, body part) as it is kept, None if it is none.

    Letters, digits, space and underscore, at most 16 (VR CS, PS3.5 6.2), and the signs that files add to
    them; in upper case. Anything else is not kept: people type into these fields what they like, names among
    it.
    """
    value = text.strip().upper()
    return value if _CODE.fullmatch(value) else None
