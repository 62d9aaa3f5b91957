"""The border to pydicom: its errors are translated, its warnings and logs are silenced.

pydicom and the decoders below it raise dozens of classes for a bad file, and quote header values, patient
data among them, in messages, warnings and logs. None of that may pass this border.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pydicom.config

from hmar.errors import DecodeError, HmarError

# Set once for the process: whether a value keeps the rules of its VR is decided here, value by value.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
for _name in ("pydicom", "pylibjpeg"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class _Silence:
    """Ignores pydicom's warnings while anyone is inside; warning filters belong to the whole process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = ExitStack()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._inside == 0:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._filters.close()


_silence = _Silence()


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (RecursionError, "its sequences are nested too deeply"),
    (EOFError, "it ends too early"),
)
_OURS = (KeyboardInterrupt, SystemExit, GeneratorExit)


@contextmanager
def translated(detail: str, remedy: str) -> Iterator[None]:
    """Run vendor code: silent, and with every error of its own raised as DecodeError(detail, remedy).

    Neither text nor class of a vendor's error is repeated: the one may quote patient data, the other says
    nothing to whoever reads it. A decoder's panic, which is no Exception, is an error as well.
    A MemoryError is the caller's, who knows the limit.
    """
    try:
        with _silence():
            yield
    except (HmarError, MemoryError, *_OURS):
        raise
    except BaseException as error:
        reason = next((f": {reason}" for kind, reason in _REASONS if isinstance(error, kind)), "")
        raise DecodeError(f"{detail}{reason}.", remedy) from None
