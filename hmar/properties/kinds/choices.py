"""Codes of which there are few, all of them known."""

from __future__ import annotations

from hmar.properties.kinds.any_of import MAX_VALUES, AnyOf
from hmar.properties.kinds.kind import Schema


class Choices(AnyOf):
    """One of few codes; any other counts as unknown.

    Parameters
    ----------
    *codes : str
        All there are, in upper case.
    """

    def __init__(self, *codes: str) -> None:
        self.codes = codes
        self.length = max(map(len, codes))
        self.remedy = f"Give one of {', '.join(codes)}."

    def kept(self, text: str) -> str | None:
        """Return a code in upper case."""
        value = text.strip().upper()
        return value if value in self.codes else None

    def value_schema(self) -> Schema:
        """Describe a code."""
        return {"enum": list(self.codes)}

    def condition_schema(self) -> Schema:
        """Describe a code or several."""
        one = {"enum": list(self.codes)}
        return {"oneOf": [one, {"type": "array", "minItems": 1, "maxItems": MAX_VALUES, "items": one}]}

    def json_forms(self, _example: str) -> str:
        """Return all codes."""
        return ", ".join(f'`"{code}"`' for code in self.codes) + ", or several"

    def option_forms(self, _example: str) -> str:
        """Return all codes."""
        return ", ".join(f"`{code}`" for code in self.codes[:-1]) + f" or `{self.codes[-1]}`"
