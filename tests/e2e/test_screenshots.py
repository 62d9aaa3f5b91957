"""The manual of the page shows every view, by the pictures that ``make screenshots`` takes, and no other."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from tests.e2e.screenshots import FEW, SHOTS, shows
from tests.e2e.views import VIEWS

DOCS = Path(__file__).parents[2] / "docs"
MOST_BYTES = 150_000


NOT_TAKEN = {"operations-audit"}
"""Times and hashes, which are others each time."""


def test_every_view_is_taken_once_at_least() -> None:
    assert {shot.view for shot in SHOTS} == {view.name for view in VIEWS} - NOT_TAKEN


def test_every_picture_that_is_taken_is_kept_and_shown_and_no_other() -> None:
    files = {shot.file for shot in SHOTS}
    assert len(files) == len(SHOTS)
    assert {path.name for path in (DOCS / "images").iterdir()} == files
    manual = (DOCS / "page.md").read_text("utf-8")
    assert [name for name in files if f"](images/{name})" not in manual] == []


def test_a_picture_is_small_and_shows_something() -> None:
    for path in (DOCS / "images").iterdir():
        assert path.stat().st_size <= MOST_BYTES, path.name
        with Image.open(path) as picture:
            assert len(picture.getcolors() or ()) > 8, path.name


def test_a_picture_is_replaced_where_it_shows_something_else(tmp_path: Path) -> None:
    def drawn(changed: int, size: tuple[int, int] = (40, 30)) -> bytes:
        picture = Image.new("RGB", size, "navy")
        for x in range(changed):
            picture.putpixel((x, 5), (200, 200, 200))
        file = io.BytesIO()
        picture.save(file, "PNG")
        return file.getvalue()

    kept = tmp_path / "page-hits.png"
    assert not shows(kept, drawn(0))
    kept.write_bytes(drawn(0))
    assert shows(kept, drawn(FEW))
    assert not shows(kept, drawn(FEW + 1))
    assert not shows(kept, drawn(0, (40, 31)))
