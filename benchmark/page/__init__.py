"""``hmar bench page``: how fast the reading page scrolls, windows, searches, and how much memory it takes."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.page.browser import Tab, check_installed, open_tab
from benchmark.speed.phantom import SIDE, phantom_file
from benchmark.speed.product import Product, serving
from benchmark.speed.timing import percentiles
from benchmark.types import Progress
from hmar.config import Settings
from hmar.errors import ParameterError, UnavailableError
from hmar.product.greeting import login_link
from hmar.wiring import build_engine

POLL_S, LOADING_S = 0.2, 600.0
STEPS_PER_S = 30
"""Rate at which a held key repeats."""
_MIB = 1 << 20
_VOLUME, _DATA = "volume", "data"
"""Collections, and their folders."""
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Parameters
    ----------
    slices : int
        Of the volume that is scrolled, 512 x 512 pixels each, from 2.
    changes : int
        Of the display window in its drag.
    searches : int
        Regions that are searched for, each of another slice.
    """

    slices: int = 600
    changes: int = 600
    searches: int = 40

    def __post_init__(self) -> None:
        if self.slices < 2 or self.changes < 1 or self.searches < 1:
            raise ParameterError(
                f"There are {self.slices} slices, {self.changes} changes and {self.searches} searches.",
                "Give at least 2 slices, and 1 of the others.",
            )


def run_page(settings: Settings, data: Path | None, sizes: Sizes, gpu: bool, progress: Progress) -> list[Row]:
    """Measure the page in a browser without a window, beside the product on the same machine.

    Parameters
    ----------
    settings : Settings
        Model and threads of the product; its home is a temporary folder.
    data : Path or None
        Folder of DICOM files that is indexed and searched; the volume is, where None.
    sizes : Sizes
    gpu : bool
        Whether the browser may use the machine's GPU; without, the page draws on a 2-D canvas.
    progress : Progress

    Returns
    -------
    list of dict
        Of scrolling, of windowing, of searching, and of memory; see docs/benchmark-rows.md.

    Raises
    ------
    ConfigError
        If Selenium, Chromium or its driver is not installed.
    UnavailableError
        If the product does not start, index or answer, or the page does not do in time what it should.
    """
    check_installed()
    with tempfile.TemporaryDirectory(prefix="hmar-page-") as folder:
        home = Path(folder, "home")
        with serving(replace(settings, home=home)) as product:
            _write_volume(product.settings.import_root / _VOLUME, sizes.slices, progress)
            _index(product, _VOLUME, progress)
            if data is not None:
                shutil.copytree(data, product.settings.import_root / _DATA)
                _index(product, _DATA, progress)
            with open_tab(Path(folder, "profile"), _link(product), gpu) as tab:
                rows = _measured(tab, sizes, _VOLUME if data is None else _DATA, progress)
    shown = {"protocol": "page", "surface": tab.surface}
    return [{**shown, **row} for row in rows]


def _measured(tab: Tab, sizes: Sizes, searched: str, progress: Progress) -> list[Row]:
    rows: list[Row] = []

    def done(row: Row | None, what: str) -> None:
        rows.extend([row] if row else [])
        progress(f"page, {what}", len(rows), 7)

    tab.ask("open", _VOLUME)
    _load(tab, sizes.slices)
    setting = f"{sizes.slices} slices of 512x512"
    done(motion(f"scroll, {STEPS_PER_S} steps a second", setting, tab.ask("scroll", STEPS_PER_S)), "scroll")
    done(motion("scroll, one step a redraw", setting, tab.ask("scroll", None)), "scroll")
    changes = f"{sizes.changes} changes on a slice of 512x512"
    done(motion("window drag, one change a redraw", changes, tab.ask("drag", sizes.changes)), "window drag")
    done(_memory(setting, tab), "memory")
    tab.ask("open", searched)
    regions = f"{sizes.searches} regions of slices that were not asked about before"
    told = [tab.ask("search", number, sizes.searches) for number in range(sizes.searches)]
    for name, key in (("first hit", "card_ms"), ("all pictures in view", "pictures_ms")):
        done(times(f"region search, from Enter to {name}", regions, told, key), "search")
    done(times("from box to first judged hit", regions, told, "judged_ms"), "judged hits")
    return rows


def _load(tab: Tab, slices: int) -> None:
    """Wait until the volume is in memory, or the part that fits; begin at its first slice."""
    end = time.monotonic() + LOADING_S
    while not (held := tab.ask("held"))["full"][0] and held["slices"][0] < slices:
        if time.monotonic() > end:
            raise UnavailableError(
                f"{held['slices'][0]:.0f} of {slices} slices came.", "Give fewer --slices."
            )
        time.sleep(POLL_S)
    tab.ask("begin")


def motion(name: str, setting: str, told: Mapping[str, list[float]]) -> Row:
    """Return the row of a motion: frames per second, gaps between redraws, and what was not drawn."""
    gaps = told["gaps_ms"]
    return {
        "name": name,
        "setting": setting,
        "fps": round(1000 * len(gaps) / sum(gaps), 1),
        **percentiles(gaps),
        "wanted": int(told["wanted"][0]),
        "skipped": int(told["skipped"][0]),
    }


def times(name: str, setting: str, told: Sequence[Mapping[str, list[float]]], key: str) -> Row | None:
    """Return the row of some times; None where the page has nothing to take them of."""
    times = [ms for one in told for ms in one[key]]
    if not times:
        return None
    return {"name": name, "setting": setting, **percentiles(times), "repeats": len(times)}


def _memory(setting: str, tab: Tab) -> Row:
    frames = int(tab.ask("frames")["bytes"][0])
    held = tab.memory_bytes()
    return {
        "name": "memory of the tab",
        "setting": setting,
        "held_mib": round(held / _MIB, 1),
        "frames_mib": round(frames / _MIB, 1),
    }


def _link(product: Product) -> str:
    engine = build_engine(product.settings)
    try:
        return login_link(engine, product.url)
    finally:
        engine.close()


def _write_volume(folder: Path, slices: int, progress: Progress) -> None:
    folder.mkdir(parents=True)
    for number in range(slices):
        (folder / f"{number:05}.dcm").write_bytes(phantom_file(number, SIDE, slices))
        progress("page, writing slices", number + 1, slices)


def _index(product: Product, name: str, progress: Progress) -> None:
    """Index a folder into a collection of its name."""
    with closing(product.client()) as client:
        begun = client.call("POST", "/api/v1/index-jobs", {"folder": name, "collection": name})
        path = f"/api/v1/index-jobs/{begun['job_id']}"
        while not (job := client.call("GET", path))["finished"]:
            progress(f"page, indexing {name}", int(str(job["frames"])), 0)
            time.sleep(POLL_S)
    if not job["frames"]:
        raise UnavailableError(f"No frame of the folder {name} was indexed.", "Give a folder of DICOM files.")
