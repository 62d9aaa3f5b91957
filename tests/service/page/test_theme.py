"""Colours of the page: enough contrast in both themes, and written in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STYLES = Path(__file__).parents[3] / "service" / "page" / "static" / "css"
THEME = (STYLES / "theme.css").read_text("utf-8")
COLOURS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", THEME.split("@media")[0]
    )
}
WORDS = ("text", "muted", "accent", "query", "hit", "good", "bad")
SURFACES = ("back", "panel", "raised", "hover", "well", "chosen", "bad-back")
ON_A_BUTTON = [("on-accent", "accent"), ("on-accent", "accent-hover")]
EDGES = [(line, surface) for line in ("edge", "accent") for surface in ("back", "panel", "raised", "hover")]


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_has_the_largest_contrast_and_a_colour_on_itself_none() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#3ddbd9", "#3ddbd9") == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("word", "surface"), [*((word, surface) for word in WORDS for surface in SURFACES), *ON_A_BUTTON]
)
def test_words_can_be_read_on_every_surface(theme: str, word: str, surface: str) -> None:
    assert contrast(COLOURS[word][theme], COLOURS[surface][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("line", "surface"), EDGES)
def test_edges_of_fields_and_the_focus_can_be_seen_on_every_surface(
    theme: str, line: str, surface: str
) -> None:
    assert contrast(COLOURS[line][theme], COLOURS[surface][theme]) >= 3


@pytest.mark.parametrize(
    "style",
    [path for path in sorted(STYLES.rglob("*.css")) if path.stem not in {"theme", "docs"}],
    ids=lambda path: path.name,
)
def test_a_style_names_its_colours_and_writes_none(style: Path) -> None:
    text = re.sub(r"/\*.*?\*/|#[\w-]+(?=[^;{}]*\{)", "", style.read_text("utf-8"), flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch|lab)\(", text) == []
    assert set(re.findall(r"var\(--([\w-]+)", text)) <= set(re.findall(r"--([\w-]+)", THEME + text))
