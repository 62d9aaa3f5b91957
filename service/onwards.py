"""From a link of another site to the page, by a document of our own.

The login cookie is SameSite=Strict: browsers send it with links of this site alone, and a redirection makes
no link one of this site.
"""

from __future__ import annotations

from flask import render_template, request, url_for

from hmar.errors import InputError
from service.models.launch import PageQuery
from service.operations.reading import read_query


def onwards(query: str) -> str:
    """Return a document that goes on to the page with a query, as a link of this site."""
    return render_template("onwards.html", address=page_address(query))


def page_address(query: str) -> str:
    """Return where the page is, below the path of a proxy too."""
    page = url_for("page.page")
    return f"{page}?{query}" if query else page


def asked_of_page() -> str:
    """Return the query of the current request for the page; empty for one that cannot be used."""
    try:
        asked = read_query(PageQuery, request)
    except InputError:
        return ""
    return asked.text() if isinstance(asked, PageQuery) else ""
