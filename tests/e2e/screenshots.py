"""Make the screenshots of the manual: ``python -m tests.e2e.screenshots docs/images``.

What they show is synthetic. A picture that shows the same as before stays as it is.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageChops
from selenium import webdriver

from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.files import write_file
from hmar.secrets import KEY_BYTES
from hmar.wiring import build_engine
from tests.e2e.chromium import (
    DESKTOP,
    LARGE,
    PHONE,
    PHONE_SIDEWAYS,
    TABLET,
    Screen,
    chromium,
    prefer,
    use_screen,
)
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.e2e.views import VIEWS

COLOURS = 200
WIDEST = 1400
"""In pixels; what is wider is shown at half its size."""
PATIENT_SECRET = bytes(KEY_BYTES)
"""The same each time, so that patients have the same handles."""
FEW, FAINT = 20, 16
"""Pixels that may differ, as rounded corners do, and by how much all may, as their palette does."""
SETTLED = """
const done = arguments[arguments.length - 1];
const shown = [...document.images].filter((image) => image.getClientRects().length);
Promise.all([document.fonts.ready, ...shown.map((image) => image.decode().catch(() => null))])
  .then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(null))));
"""
CHANGING = (
    (r"\b\d+ ms\b", "42 ms"),
    (r"HMAR_HOME=\S+ \S+ keys", "HMAR_HOME=/srv/hmar hmar keys"),
    (r"\b\d{1,2} [A-Z][a-z]+ \d{4}, \d{2}:\d{2}\b", "2 Jan 2027, 09:00"),
    (r"\b[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d{2}(:\d{2})? [AP]M\b", "Jan 2, 2027, 9:00 AM"),
)
"""What is another each time, and what stands for it."""
REPLACE = """
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const { currentNode: text } = texts;
  for (const [pattern, other] of arguments[0]) text.data = text.data.replace(new RegExp(pattern, "g"), other);
}
"""


@dataclass(frozen=True)
class Shot:
    """One view on one screen, in one theme."""

    view: str
    screen: Screen = DESKTOP
    theme: str = "dark"
    name: str = ""

    @property
    def file(self) -> str:
        return f"page-{self.view}{self.name and '-'}{self.name}.png"


SHOTS = (
    Shot("not-logged-in"),
    Shot("login"),
    Shot("empty"),
    Shot("archive", PHONE, "light", "phone"),
    Shot("image"),
    Shot("region", PHONE, name="phone"),
    Shot("region", PHONE_SIDEWAYS, name="phone-sideways"),
    Shot("hits"),
    Shot("hits", theme="light", name="light"),
    Shot("hits", PHONE, "light", "phone"),
    Shot("hits", TABLET, "light", "tablet"),
    Shot("hits", LARGE, name="large"),
    Shot("hit"),
    Shot("filters", theme="light"),
    Shot("export"),
    Shot("help", theme="light"),
    Shot("menu", theme="light"),
    Shot("compare"),
    Shot("compare", PHONE, "light", "phone"),
    Shot("history", theme="light"),
    Shot("offline"),
    Shot("expired", theme="light"),
    Shot("problem"),
    *(Shot(f"operations-{part}", theme="light") for part in ("jobs", "statistics", "keys")),
    *(Shot(f"operations-{part}") for part in ("pacs", "models")),
    Shot("api", theme="light"),
)


def taken(browser: webdriver.Chrome, server: Server) -> Iterator[tuple[Shot, bytes]]:
    """Go through the views, and yield what was taken of them as PNG."""
    page = Page(browser)
    for view in VIEWS:
        view.reach(page, server)
        for shot in SHOTS:
            if shot.view == view.name:
                use_screen(browser, shot.screen)
                prefer(browser, color_scheme=shot.theme, reduced_motion="reduce")
                browser.execute_async_script(SETTLED)
                browser.execute_script(REPLACE, CHANGING)
                yield shot, small(steady(browser))
        use_screen(browser, DESKTOP)


def steady(browser: webdriver.Chrome) -> bytes:
    """Return the screen as PNG, once it was the same twice: a tile of another theme may linger."""
    before, now = b"", browser.get_screenshot_as_png()
    while now != before:
        before, now = now, browser.get_screenshot_as_png()
    return now


def small(png: bytes) -> bytes:
    """Return a picture with a palette; an octree keeps its rare colours, as those of boxes are."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width > WIDEST:
        picture = picture.reduce(2)
    packed = io.BytesIO()
    few = picture.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def shows(path: Path, png: bytes) -> bool:
    """Return whether a file shows the same as a picture."""
    if not path.exists():
        return False
    with Image.open(path) as file:
        old, new = file.convert("RGB"), Image.open(io.BytesIO(png)).convert("RGB")
    if old.size != new.size:
        return False
    changed = ImageChops.difference(old, new).convert("L").point(lambda by: by > FAINT)
    return changed.histogram()[1] <= FEW


def main(folder: Path) -> None:
    """Write all screenshots into a folder, in place of those that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in {path.name for path in folder.iterdir()} - {shot.file for shot in SHOTS}:
        (folder / old).unlink()
    with TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        (home / "secrets").mkdir(parents=True, mode=0o700)
        write_file(home / "secrets" / "patient", PATIENT_SECRET)
        queue = InlineQueue()
        engine = build_engine(Settings(home=home).checked(), queue=queue)
        queue.handler = engine.indexer.handle
        with (
            closing(Server(engine)) as server,
            chromium(Path(temporary) / "profile") as browser,
        ):
            for shot, png in taken(browser, server):
                if not shows(folder / shot.file, png):
                    (folder / shot.file).write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
