"""Which problems an operation can be answered with: what it reads and raises says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hmar.errors import (
    AuthError,
    ForbiddenError,
    HmarError,
    IdentityProviderError,
    OperatorError,
    ParameterError,
)
from hmar.problems import ProblemType
from service.errors import CrossSiteError, MalformedRequestError, MediaTypeError
from service.models.asked import JsonBody, media_type_of
from service.operations.operation import Operation
from service.problem_table import EDGE_PROBLEMS, HTTP_PROBLEMS, INTERNAL, PROBLEMS


def problems_of(declared: Operation, *, keyed: bool, changes: bool) -> dict[int, list[ProblemType]]:
    """Return the problems of an operation by their statuses, in order.

    Parameters
    ----------
    declared : Operation
    keyed : bool
        Whether it needs a key or a login.
    changes : bool
        Whether its method may change something, so that a cookie alone is not enough.
    """
    found: defaultdict[int, list[ProblemType]] = defaultdict(list)
    for problem in (*map(PROBLEMS.__getitem__, _raised(declared, keyed, changes)), *EDGE_PROBLEMS.values()):
        found[problem.status].append(problem)
    if declared.bodies:
        too_large, _ = HTTP_PROBLEMS[413]
        found[413].append(too_large)
    found[INTERNAL.status].append(INTERNAL)
    return dict(sorted(found.items()))


def _raised(declared: Operation, keyed: bool, changes: bool) -> Iterator[type[HmarError]]:
    yield MalformedRequestError
    if keyed:
        yield AuthError
    if keyed and changes:
        yield CrossSiteError
    if keyed:
        yield ForbiddenError
    if any(media_type_of(body) == JsonBody.media_type for body in declared.bodies):
        yield MediaTypeError
    yield from declared.raises
    yield ParameterError
    if keyed:
        yield IdentityProviderError
    yield OperatorError
