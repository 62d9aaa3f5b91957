"""Sections of a model's card that are replaced, and not written twice."""

from __future__ import annotations

import re


def without_section(card: str, heading: str) -> str:
    """Return a card, in Markdown, without the section of a heading such as ``## Limits``."""
    return re.sub(rf"\n{heading}\n.*?(?=\n## |\Z)", "", card, flags=re.DOTALL)
