"""Where the viewer of a PACS shows a frame that came from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hmar.values.entries import EntryInfo
from hmar.values.links import Template
from hmar.values.pulls import PACS
from hmar.values.results import Results


class ViewerLinks:
    """Makes links of hits.

    Parameters
    ----------
    templates : mapping of str to Template
        By the name of the PACS; one without a viewer is not in it.
    """

    def __init__(self, templates: Mapping[str, Template]) -> None:
        self._templates = templates

    def of(self, entry: EntryInfo) -> str | None:
        """Return the address of a frame in a viewer; None for one that came from no PACS that has one."""
        site = entry.origin.reference.partition("/")[0]
        template = self._templates.get(site) if entry.origin.source == PACS else None
        return None if template is None else template.link(entry.info)

    def on(self, results: Results) -> Results:
        """Return an answer with links on its hits."""
        if not self._templates:
            return results
        hits = tuple(replace(hit, viewer_url=self.of(hit.entry)) for hit in results.hits)
        return replace(results, hits=hits)
