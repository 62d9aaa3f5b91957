"""A matplotlib figure as part of a page: the page's font, its colours in light and dark, and no reference."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from benchmark.report.figure import THEME, TIP, WIDTH, plain

_VARIABLES = {light: f"var(--{name})" for name, (light, _) in THEME.items()}
_COLOUR = re.compile("#[0-9a-f]{6}")
_FONT = re.compile("font-family:[^;]*;?")
_DECIMALS = re.compile(r"-?[0-9]+\.[0-9]{3,}")


def svg(figure: Figure, title: str) -> str:
    """Return a figure as an ``svg`` element, named for those who do not see it.

    What matplotlib writes for a file of its own is made part of a page: no declaration, name space, metadata,
    style sheet, id, clip path or reference; the page's font; colours of THEME as the page's variables. With
    the ids and the metadata goes all that differs from one run to the next.
    """
    for artist in figure.findobj():
        artist.set_clip_on(False)
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=True)
    root = ElementTree.fromstring(written.getvalue())  # noqa: S314 - written the line before
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {_local(name): value for name, value in element.attrib.items()}
    shapes = {path.get("id", ""): path for path in root.iterfind(".//defs/path")}
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("defs", "metadata"):
                parent.remove(child)
            elif child.tag == "use":
                _fill_in(child, shapes[child.get("href", "").removeprefix("#")])
    for element in root.iter():
        _adapt(element)
    height = root.attrib["viewBox"].split()[-1]
    root.attrib = {"role": "img", "viewBox": f"0 0 {WIDTH} {float(height):g}", "aria-label": plain(title)}
    root.insert(0, _title(title))
    return ElementTree.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _fill_in(use: ElementTree.Element, shape: ElementTree.Element) -> None:
    """Make a reference to a shape a copy of it, where the reference is."""
    use.tag = "path"
    use.attrib = {
        "d": shape.attrib["d"],
        "transform": f"translate({use.get('x')} {use.get('y')})",
        "style": f"{shape.get('style', '')}; {use.get('style', '')}",
    }


def _adapt(element: ElementTree.Element) -> None:
    """Make a name that was given to an artist a tip, and its style the page's; shorten coordinates."""
    name = element.attrib.pop("id", "")
    if name.startswith(TIP):
        element.insert(0, _title(name.removeprefix(TIP)))
    element.tail = None
    if element.tag == "g":
        element.text = None
    if "style" in element.attrib:
        style = _FONT.sub("", element.attrib["style"])
        element.set("style", _COLOUR.sub(lambda found: _VARIABLES.get(found[0], found[0]), style).strip("; "))
    for attribute in ("d", "transform", "x", "y"):
        if attribute in element.attrib:
            short = _DECIMALS.sub(lambda found: f"{float(found[0]):.2f}", element.attrib[attribute])
            element.set(attribute, " ".join(short.split()))


def _title(words: str) -> ElementTree.Element:
    element = ElementTree.Element("title")
    element.text = plain(words)
    return element
