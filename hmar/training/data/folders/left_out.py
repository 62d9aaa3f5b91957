"""What was left out of a training, and why: counted, for names of files may be names of patients."""

from __future__ import annotations

from collections import Counter


class LeftOut:
    """Counts what is left out, by kind and reason."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, kind: str, reason: str, count: int = 1) -> None:
        """Note that ``count`` of a kind (in the plural, as "files") are left out for a reason."""
        if count:
            self._counts[kind, reason] += count

    def lines(self) -> list[str]:
        """Return a line for each kind and reason, the most frequent first."""
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        return [f"{count} {kind} left out: {reason}" for (kind, reason), count in ordered]
