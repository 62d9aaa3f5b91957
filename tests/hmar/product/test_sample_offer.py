"""The sample study is loaded when asked for, and never unasked."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from hmar.config import Settings
from hmar.product.sample_offer import HOW, offer_sample, wanted
from hmar.wiring import build_engine


class Terminal(io.StringIO):
    """A person at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "loads"),
    [("y\n", True), ("Yes\n", True), ("\n", False), ("n\n", False), ("", False)],
)
def test_a_person_is_asked_and_no_is_the_default(
    typed: str, loads: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wanted({}, Terminal(typed)) is loads
    assert "[y/N]" in capsys.readouterr().out


def test_without_a_terminal_nobody_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert not wanted({}, io.StringIO("y\n"))
    assert wanted({"HMAR_SAMPLE": "1"}, io.StringIO())
    assert capsys.readouterr().out == ""


def test_an_archive_that_holds_images_gets_no_offer(tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    engine = build_engine(Settings(home=tmp_path))
    offer_sample(engine, False, lambda name, line: said.append((name, line)), threading.Event())
    assert said == []


def test_an_empty_archive_without_a_terminal_is_told_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HMAR_SAMPLE", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    said: list[tuple[str, str]] = []
    engine = build_engine(Settings(home=tmp_path))
    offer_sample(engine, True, lambda name, line: said.append((name, line)), threading.Event())
    assert said == [("sample", HOW)]
