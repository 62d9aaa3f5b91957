"""The provider's keys, kept for a while: asked for anew when they are old, or when a token names another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hmar.errors import AuthError, IdentityProviderError
from hmar.oidc.signatures import PublicKey

LIFETIME_S = 600.0
"""Keys older than this are asked for anew: so long a key works that the provider has withdrawn."""
ALONE_S = 3600.0
"""While the provider does not answer, keys up to this age are used."""
AGAIN_S = 10.0
"""The provider is asked no more often than this, whatever tokens name."""
WAIT_S = 2.0
"""A request waits so long for the provider's answer, and only if its token's key is not known."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """Keys, and when they came."""

    keys: Mapping[str, PublicKey] = field(default_factory=dict)
    at: float = float("-inf")


class ProviderKeys:
    """Finds keys by their names. Thread-safe; the provider is asked in a thread of its own, one at a time.

    Parameters
    ----------
    ask : callable
        Returns the keys that the provider publishes now; raises IdentityProviderError.
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(
        self, ask: Callable[[], Mapping[str, PublicKey]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._held = _Held()
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._answered = threading.Event()
        self._answered.set()

    def find(self, name: str) -> PublicKey:
        """Return a key.

        Raises
        ------
        AuthError
            If the provider publishes no such key.
        IdentityProviderError
            If it does not answer, and has not for so long that its keys are not known any more.
        """
        held = self._held
        if name not in held.keys or self._age(held) > ALONE_S:
            self._renew(held).wait(max(0.0, self._asked_at + WAIT_S - self._clock()))
        elif self._age(held) > LIFETIME_S:
            self._renew(held)
        held = self._held
        if self._age(held) > ALONE_S:
            raise IdentityProviderError(
                "The identity provider did not answer when it was asked last, and its keys are not known.",
                "Run 'hmar doctor', which asks it again and says what fails.",
            )
        if name not in held.keys:
            raise AuthError(
                "The token was signed with a key that the identity provider does not publish.",
                "Ask the identity provider for another token.",
            )
        return held.keys[name]

    def _age(self, held: _Held) -> float:
        return self._clock() - held.at

    def _renew(self, seen: _Held) -> threading.Event:
        """Ask the provider, unless it was asked since ``seen`` was seen, is being asked, or was a while ago.

        Returns what is set when the answer is there.
        """
        with self._lock:
            due = self._answered.is_set() and self._clock() - self._asked_at >= AGAIN_S
            if due and self._held is seen:
                answered = threading.Event()
                threading.Thread(target=self._take, args=(answered,), name="provider", daemon=True).start()
                self._asked_at, self._answered = self._clock(), answered
            return self._answered

    def _take(self, answered: threading.Event) -> None:
        try:
            self._held = _Held(self._ask(), self._clock())
        except IdentityProviderError as error:
            _log.error("%s", error)
        except Exception as error:
            _log.error("the identity provider's keys were not read: %s", type(error).__name__)
        finally:
            answered.set()
