"""From a link of another site, or from a login, to the document of our own that a browser asked for.

The login cookie is SameSite=Strict: browsers send it with links of this site alone, and a redirection makes
no link one of this site. Where a browser goes on to is made of what a request was checked to be, from the
address of the page on: no text of a request is an address by itself, so that none leads to another site.
"""

from __future__ import annotations

from flask import render_template, request, url_for

from hmar.errors import InputError
from service.models.launch import PageQuery
from service.models.operations import PARTS
from service.operations.reading import read_query


def onwards(place: str) -> str:
    """Return a document that goes on to a place, as a link of this site."""
    return render_template("onwards.html", address=address_of(place))


def address_of(place: str) -> str:
    """Return the address of a place, below the path of a proxy too."""
    return url_for("page.page") + place


def page_place(query: PageQuery) -> str:
    """Return the page with a query as a place."""
    text = query.text()
    return text and f"?{text}"


def asked_place() -> str | None:
    """Return the place that the current request is for: the page, or a page of operations.

    Empty for the page at nothing, and at what cannot be used; None for all else.
    """
    if request.endpoint == "page.page":
        return _asked_of_page()
    part = (request.view_args or {}).get("part")
    return f"operations/{part}" if request.endpoint == "operations.show" and part in PARTS else None


def _asked_of_page() -> str:
    try:
        asked = read_query(PageQuery, request)
    except InputError:
        return ""
    return page_place(asked) if isinstance(asked, PageQuery) else ""
