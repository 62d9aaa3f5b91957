"""The extra ``train`` of the package, where it is needed and not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hmar.errors import ConfigError


@contextmanager
def extra_train(what: str) -> Iterator[None]:
    """Turn an import that fails into a ConfigError that names the package and the extra "train".

    Parameters
    ----------
    what : str
        Who needs the package, at the beginning of a sentence.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{what} needs {error.name}, which is not installed.", "Run: pip install 'hmar-search[train]'"
        ) from error
