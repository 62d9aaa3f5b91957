"""The models of a server's archive."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from hmar.client.api import Api, read
from hmar.client.queries import given
from hmar.values.models import Begun, ModelState

MODELS = "/api/v1/models"


class ClientModels:
    """Moving a server's archive to another model, with the scope admin. :class:`hmar.Client` has it.

    Parameters
    ----------
    api : Api
        What is asked.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def models(self) -> list[ModelState]:
        """List the models: the used one, the next one, then the others by name."""
        return read(self._api.get(MODELS), _models)

    def reindex(self, fingerprint: str, collections: Sequence[str] | None = None) -> Begun:
        """Index under an installed model what it misses, in the background; :meth:`follow` the jobs.

        Parameters
        ----------
        fingerprint : str
        collections : sequence of str, optional
            Begin with these alone.

        Raises
        ------
        NotFoundError
            If the model is not installed, or a collection holds nothing.
        ConflictError
            If the archive is moving to another model.
        """
        chosen = None if collections is None else list(collections)
        return read(
            self._api.post(f"{_path(fingerprint)}/reindex", given(collections=chosen)), Begun.from_dict
        )

    def use_model(self, fingerprint: str, accept_missing: int = 0) -> list[ModelState]:
        """Let searches use a model, and list the models as they are then.

        Raises
        ------
        NotFoundError
            If the model is not installed.
        ConflictError
            If more than ``accept_missing`` frames are not indexed under it.
        """
        fields = {"accept_missing": accept_missing}
        return read(self._api.post(f"{_path(fingerprint)}/use", fields), _models)


def _path(fingerprint: str) -> str:
    return f"{MODELS}/{quote(fingerprint, safe='')}"


def _models(told: dict[str, list[dict[str, object]]]) -> list[ModelState]:
    return [ModelState.from_dict(one) for one in told["models"]]
