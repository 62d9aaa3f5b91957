from __future__ import annotations

import threading
import warnings

import pytest

from hmar.dicom.vendor import translated
from hmar.errors import DecodeError, LimitError


@pytest.mark.parametrize(
    "vendor", [ValueError, KeyError, RuntimeError, NotImplementedError, EOFError, RecursionError]
)
def test_a_vendors_error_keeps_its_class_name_and_loses_its_text(vendor: type[Exception]) -> None:
    with pytest.raises(DecodeError) as refusal, translated("It failed", "Mend it."):
        raise vendor("DOE^JANE")
    assert refusal.value.detail == f"It failed ({vendor.__name__})."
    assert refusal.value.remedy == "Mend it."
    assert refusal.value.__suppress_context__  # or a logged traceback would quote it


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
