"""Problem types (RFC 9457) of the library's errors: the server answers with them, and clients read them.

One table from class of error to status, last part of the type URI, and title. The server adds what HTTP alone
can be refused for.
"""

from __future__ import annotations

from typing import NamedTuple

from hmar.errors import (
    AuthError,
    ConflictError,
    DecodeError,
    ForbiddenError,
    HmarError,
    IdentityProviderError,
    InputError,
    LimitError,
    NotFoundError,
    OperatorError,
    ParameterError,
    RegionError,
    UnindexedError,
)


class ProblemType(NamedTuple):
    """Status, last part of the type URI, and title of a class of errors."""

    status: int
    slug: str
    title: str

    @property
    def uri(self) -> str:
        """The type URI, relative to the server."""
        return f"/problems/{self.slug}"


PROBLEMS: dict[type[HmarError], ProblemType] = {
    AuthError: ProblemType(401, "not-authorised", "A valid key or login is needed"),
    ForbiddenError: ProblemType(403, "forbidden", "The key or login may not do this"),
    NotFoundError: ProblemType(404, "not-found", "The archive does not hold this"),
    ConflictError: ProblemType(409, "conflict", "The request contradicts what is there"),
    UnindexedError: ProblemType(409, "not-indexed-under-model", "Nothing is indexed under the model in use"),
    LimitError: ProblemType(413, "image-too-large", "The image is larger than the limits allow"),
    DecodeError: ProblemType(422, "image-not-readable", "The file cannot be read as an image"),
    RegionError: ProblemType(422, "region-outside-image", "The region cannot be used with this image"),
    ParameterError: ProblemType(422, "parameter-out-of-range", "A parameter cannot be used"),
    InputError: ProblemType(422, "input-not-usable", "The request cannot be used"),
    IdentityProviderError: ProblemType(
        503, "identity-provider-unavailable", "The identity provider does not answer"
    ),
    OperatorError: ProblemType(503, "service-unavailable", "A part of the server is not available"),
}
"""What each class of errors becomes; an error takes the entry of its nearest base."""
