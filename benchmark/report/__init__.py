"""``--report``: results as one self-contained HTML page, and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.report.markdown import markdown_page
from benchmark.report.montage import Montage, Picture, Shown, draw
from hmar.errors import ConfigError

__all__ = ["Montage", "Picture", "Shown", "write_report"]

HTML_NAME, MARKDOWN_NAME = "report.html", "report.md"


def write_report(
    rows: Sequence[Mapping[str, object]],
    folder: Path,
    title: str,
    environment: Mapping[str, object],
    montages: Sequence[Montage] = (),
) -> tuple[Path, Path]:
    """Write ``report.html``, ``report.md`` and the montages that Markdown shows, ``montage-N.png``.

    Rows with ``macro_map`` are tabled by ``dataset``, ``protocol`` and ``direction``, where they have these;
    ``ci95`` is [low, high], ``difference_to_linear`` [mean, low, high], ``pr_curve`` a list of [recall,
    precision], ``per_class`` a mapping of labels to AP. Rows with ``part`` and ``ratio`` are speed. Of any
    others all keys are tabled. Rows of the protocols "acir-compat" and "quoted" carry that mark wherever
    they stand.

    Parameters
    ----------
    rows : sequence of mapping
    folder : Path
        Created where it is missing; files of these names in it are replaced.
    title : str
    environment : mapping
        Commit, machine, versions, configuration.
    montages : sequence of Montage

    Returns
    -------
    tuple of Path
        The page and the Markdown.

    Raises
    ------
    ConfigError
        If the folder cannot be written.
    """
    # matplotlib is imported to draw, and not by the help of a command.
    from benchmark.report.html import html_page

    page, text = folder / HTML_NAME, folder / MARKDOWN_NAME
    named = [(f"montage-{number}.png", montage) for number, montage in enumerate(montages, start=1)]
    pictures = [(montage, draw(montage)) for montage in montages]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for (name, _), (_, png) in zip(named, pictures, strict=True):
            (folder / name).write_bytes(png)
        page.write_text(html_page(rows, title, environment, pictures), "utf-8")
        text.write_text(markdown_page(rows, title, environment, named), "utf-8")
    except OSError as error:
        raise ConfigError(
            f"The report cannot be written to {folder} ({error.strerror}).",
            "Give --report a folder that may be written.",
        ) from error
    return page, text
