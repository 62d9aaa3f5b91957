"""``import hmar`` is cheap, and names everything that is promised."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hmar

HEAVY = (
    "numpy",
    "urllib3",
    "torch",
    "flask",
    "pydicom",
    "sqlalchemy",
    "onnxruntime",
    "numba",
    "faiss",
    "hmar.library",
)


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_it_imports_nothing_that_takes_time() -> None:
    assert run(f"import sys, hmar; print([name for name in {HEAVY} if name in sys.modules])") == "[]"


def test_a_client_imports_nothing_of_an_engine() -> None:
    engine = ("torch", "flask", "pydicom", "sqlalchemy", "onnxruntime", "numba", "faiss", "hmar.library")
    script = (
        f"import sys, hmar; hmar.Client('http://a', 'k'); print([x for x in {engine} if x in sys.modules])"
    )
    assert run(script) == "[]"


@pytest.mark.slow
def test_searching_from_python_imports_nothing_of_training_or_of_the_web_server() -> None:
    script = """
import sys, hmar
from tests.phantoms import ct_file
archive = hmar.Archive(model="thumbnail")
archive.add(ct_file(1, 1))
assert len(archive.search(ct_file(1, 2), box=(50, 60, 40, 40))) == 1
print([name for name in ("torch", "flask", "celery", "redis", "matplotlib") if name in sys.modules])
"""
    assert run(script) == "[]"


def test_every_name_that_is_promised_is_there() -> None:
    for name in hmar.__all__:
        assert getattr(hmar, name) is not None
        assert name in dir(hmar)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="module 'hmar' has no attribute 'archive'"):
        hmar.archive  # type: ignore[attr-defined]  # noqa: B018


def test_modules_of_the_package_are_still_imported_from_it() -> None:
    assert run("from hmar import properties; print(properties.__name__)") == "hmar.properties"
