"""The models that frames are indexed under now: the one that searches use, and maybe the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from hmar.errors import ConflictError
from hmar.ports import FrameEncoder, ModelStore
from hmar.values.models import ModelRoles


class Current(NamedTuple):
    """What new frames are encoded by."""

    used: FrameEncoder
    next: FrameEncoder | None = None

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Fingerprints of the models."""
        return tuple(encoder.fingerprint for encoder in self if encoder is not None)

    def of(self, model_fingerprint: str) -> FrameEncoder:
        """Return the one of a model; raises ConflictError if the archive is not indexed under that."""
        for encoder in self:
            if encoder is not None and encoder.fingerprint == model_fingerprint:
                return encoder
        raise ConflictError(
            f"The archive is not being indexed under the model {model_fingerprint[:12]} any more.",
            "Begin again with 'hmar reindex', if it shall be.",
        )


class Encoders(Protocol):
    """Tells what new frames are encoded by."""

    def current(self) -> Current:
        """Return it as it is at this moment; raises OperatorError if a model cannot be loaded."""


class OneEncoder:
    """One model for ever.

    Parameters
    ----------
    encoder : FrameEncoder
    """

    def __init__(self, encoder: FrameEncoder) -> None:
        self._current = Current(encoder)

    def current(self) -> Current:
        """Return the model, and no next one."""
        return self._current


class RecordedEncoders:
    """The models that the archive records, each loaded once. Thread-safe.

    Parameters
    ----------
    models : ModelStore
    load : callable
        Returns the encoder of a fingerprint; raises ModelError if there is none.
    default : callable
        Returns the encoder where the archive records none.
    fixed : bool
        True to use the default whatever is recorded.
    """

    def __init__(
        self,
        models: ModelStore,
        load: Callable[[str], FrameEncoder],
        default: Callable[[], FrameEncoder],
        fixed: bool = False,
    ) -> None:
        self._models = models
        self._load = load
        self._default = default
        self._fixed = fixed
        self._lock = threading.Lock()
        self._loaded: dict[str, FrameEncoder] = {}
        self._first: FrameEncoder | None = None

    def used(self) -> FrameEncoder:
        """Return the model in use alone: who only searches needs no other in memory."""
        roles = self._models.roles()
        with self._lock:
            used = self._used(roles)
            named = {name: one for name, one in self._loaded.items() if name in roles.fingerprints}
            self._loaded = named | {used.fingerprint: used}
            return used

    def current(self) -> Current:
        """Return the model in use and the next one; those that are neither any more are let go."""
        roles = self._models.roles()
        with self._lock:
            used = self._used(roles)
            following = roles.next
            both = following is not None and following.fingerprint != used.fingerprint
            current = Current(used, self._of(following.fingerprint) if both and following else None)
            self._loaded = {one.fingerprint: one for one in current if one is not None}
            return current

    def _used(self, roles: ModelRoles) -> FrameEncoder:
        if not self._fixed and roles.used is not None:
            self._first = None
            return self._of(roles.used.fingerprint)
        if self._first is None:
            self._first = self._default()
        self._loaded[self._first.fingerprint] = self._first
        return self._first

    def _of(self, model_fingerprint: str) -> FrameEncoder:
        known = self._loaded.get(model_fingerprint)
        return self._load(model_fingerprint) if known is None else known
