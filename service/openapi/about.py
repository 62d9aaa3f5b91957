"""What the description says of the API as a whole."""

from __future__ import annotations

from typing import Any

from hmar.identity_provider import IdentityProvider
from service.edge.clients import SESSION_COOKIE

_DESCRIPTION = """\
Every frame of the archive has one code for the whole image (the global expert) and one for each of some
hundred windows (the local expert), of 64 or 128 bits. A query is answered by Hamming distance:
smaller is nearer. Distances are exact; a search is too, unless its answer says that it was made fast.

Coordinates are source pixels; pixel (0, 0) covers [0, 1) x [0, 1). Lengths in mm are counted from the upper
left corner and are null where the pixel spacing is unknown. Frames are numbered from 1. In a request, null is
refused where its schema does not name it: leave an optional field out.

Send `Authorization: Bearer hmar_...` (or `X-API-Key: hmar_...`). A key or login has scopes: `search`,
`files`, `index`, `export`, `label`, `feedback`, `delete`, `metrics`, or `admin`, which is all of them. An
operation names the one that it needs as the role of its security requirement; one that names none needs any
key or login. A key may be limited to some collections: the others do not exist for it.

Every answer has a header `X-Request-ID`: the one of the request, if that is 1 to 64 letters, digits, hyphens
and underscores, else a new one. Problems and the server's log lines have it, too; keep patients' data out of
it. What is no HTTP request is answered without. For research; not a diagnosis.
"""

ABOUT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "HMAR search",
        "version": "1",
        "summary": "Finds images of an archive that look like a whole image, or like a region of it.",
        "description": _DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "servers": [{"url": "/"}],
}

TAGS = [
    {"name": "search", "description": "Find frames that look like an image, or like a region of one."},
    {"name": "models", "description": "Move the archive to another model."},
    {"name": "index jobs", "description": "Index a folder, or files, and follow how far it is."},
    {"name": "archive", "description": "What is indexed: lists, pictures, deletions."},
    {
        "name": "dicomweb",
        "description": "For viewers what is indexed (QIDO-RS, WADO-RS), for a PACS storing (STOW-RS).",
    },
    {"name": "upkeep", "description": "Backups and verifications of what is stored, in the background."},
    {"name": "pacs", "description": "What the site's PACS have, and how they are followed."},
    {"name": "keys", "description": "Who asks, API keys, and the log of who was given whose data."},
    {"name": "webhooks", "description": "Changes that are sent to receivers, signed."},
    {"name": "health", "description": "For load balancers, without a key, and figures for monitoring."},
    {"name": "description", "description": "This document, and a page that shows it."},
    {"name": "page", "description": "The page of the product, for browsers."},
]

PROVIDER = "hmar_identity_provider"
"""Key of the identity provider among the application's extensions, None for none."""

_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key made with `hmar keys new NAME`.",
    },
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "page": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "The page's login. Changes need the header `X-HMAR-Page` with value 1 and the page's "
        "own origin.",
    },
}


def security_schemes(provider: IdentityProvider | None) -> dict[str, Any]:
    """Return the ways to say who asks; a token counts where an identity provider is named."""
    if provider is None:
        return _SCHEMES
    # Not "openIdConnect": its roles would be scopes to ask the provider for, and ours are not the provider's.
    token = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": f"An access token of {provider.issuer} for the audience `{provider.audience}`, signed "
        f"with {' or '.join(provider.algorithms)}. Its roles (`{provider.roles_claim}`) give it scopes.",
    }
    return {**_SCHEMES, "token": token}
