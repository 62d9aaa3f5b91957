from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator

import pytest

from hmar.dicom.vendor import translated
from hmar.errors import DecodeError, LimitError


def _subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


class Panic(BaseException):
    """What a decoder written in Rust raises."""


# All that Python, pydicom and Pillow define. A group of exceptions cannot be made without others; a lack of
# memory is told to the caller.
_PASSED = (ExceptionGroup, MemoryError)
_MODULES = {"builtins", "struct", "zlib", "pydicom", "PIL"}
RAISED = {
    one.__name__: one
    for one in [Panic, Exception, *_subclasses(Exception)]
    if one is Panic
    or (one.__module__.partition(".")[0] in _MODULES and one not in (ExceptionGroup, MemoryError))
}


@pytest.mark.parametrize("vendor", RAISED.values(), ids=RAISED)
def test_neither_class_nor_text_of_a_vendors_error_is_told(vendor: type[BaseException]) -> None:
    error = vendor.__new__(vendor)
    error.args = ("DOE^JANE",)
    with pytest.raises(DecodeError) as refusal, translated("It failed", "Mend it."):
        raise error
    assert re.fullmatch(r"It failed(: [a-z ]+)?\.", refusal.value.detail)
    assert vendor.__name__ not in refusal.value.detail
    assert refusal.value.remedy == "Mend it."
    assert refusal.value.__suppress_context__  # or a logged traceback would quote it


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_program_is_no_error_of_a_vendor(ending: type[BaseException]) -> None:
    with pytest.raises(ending), translated("It failed", "Mend it."):
        raise ending


@pytest.mark.parametrize(
    ("vendor", "reason"),
    [(RecursionError, "nested too deeply"), (EOFError, "ends too early")],
)
def test_what_has_a_plain_meaning_is_said(vendor: type[Exception], reason: str) -> None:
    with pytest.raises(DecodeError, match=reason), translated("It failed", "Mend it."):
        raise vendor


def test_a_lack_of_memory_is_told_to_the_caller_who_knows_the_limit() -> None:
    with pytest.raises(MemoryError), translated("It failed", "Mend it."):
        raise MemoryError


def test_our_own_errors_pass_unchanged() -> None:
    ours = LimitError("Too large.", "Shrink it.")
    with pytest.raises(LimitError) as refusal, translated("It failed", "Mend it."):
        raise ours
    assert refusal.value is ours


def test_a_lack_of_memory_is_left_to_who_knows_the_limit() -> None:
    with pytest.raises(MemoryError), translated("It failed", "Mend it."):
        raise MemoryError


def test_warning_filters_are_restored_when_the_last_of_several_threads_leaves() -> None:
    before = list(warnings.filters)
    entered, leave = threading.Barrier(3), threading.Event()

    def work() -> None:
        with translated("It failed", "Mend it."):
            entered.wait(10)
            leave.wait(10)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    entered.wait(10)
    assert list(warnings.filters) != before
    leave.set()
    for thread in threads:
        thread.join(10)
    assert list(warnings.filters) == before
