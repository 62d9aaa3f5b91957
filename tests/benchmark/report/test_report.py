"""The report: everything that was measured stands in it, nothing else is needed to read it."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmark.cli.tables import print_rows
from benchmark.report import Montage, Picture, Shown, write_report
from benchmark.report.labels import shown, shown_difference, shown_interval
from benchmark.report.markdown import escaped
from hmar.errors import ConfigError
from hmar.values.geometry import Box

ENVIRONMENT = {"commit": "0123abc", "versions": {"torch": "2.13.0"}}
NASTY = '<script>alert("1")</script> & | *x* \n y'


def accuracy_row(name: str, bits: int, macro: float, protocol: str = "clean", **more: object) -> dict:
    interval = [macro - 0.02, macro + 0.03]
    return {
        "name": name, "bits": bits, "protocol": protocol, "macro_map": macro, "micro_map": macro + 0.01,
        "p_at_1": 0.5, "p_at_5": 0.4, "p_at_10": 0.3, "ci95": interval, **more,
    }  # fmt: skip


def speed_row(**more: object) -> dict:
    return {
        "protocol": "speed", "part": "scan", "name": "ours", "peer": "faiss", "setting": "5 frames",
        "p50_ms": 1.25, "p95_ms": 2.5, "peer_p50_ms": 4.0, "peer_p95_ms": 5.0, "ratio": 3.2,
        "ratio_ci95": [3.1, 3.3], "repeats": 7, "warm_up": 1, "threads": 1,
        "quality": {"answers equal": "7 of 7"},
        **more,
    }  # fmt: skip


def montage(protocol: str = "clean", title: str = "hmar, 64 bits") -> Montage:
    pixels = np.linspace(0, 255, 60 * 40).reshape(60, 40).astype(np.uint8)
    hits = tuple(Shown(Picture(pixels, f"class {n}", Box(5, 5, 10, 10)), n % 2 == 0) for n in range(3))
    return Montage(title, Picture(pixels, "kidney"), hits, protocol)


class Elements(HTMLParser):
    """Collects tags with their attributes, and the text outside of style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def report(tmp_path, rows, title="A run", montages=()) -> tuple[str, str]:
    page, text = write_report(rows, tmp_path / "out", title, ENVIRONMENT, montages)
    return page.read_text("utf-8"), text.read_text("utf-8")


def table_rows(markdown: str, name: str) -> list[list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith(f"| {name}")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


ROWS = [
    accuracy_row("linear", 64, 0.7, pr_curve=[[0, 1], [0.5, 0.8], [1, 0.2]], per_class={"a": 0.5, "b": 0.9}),
    accuracy_row("linear", 128, 0.72, difference_to_linear=[0.0, 0.0, 0.0]),
    accuracy_row("hmar", 64, 0.71, pr_curve=[[0, 1], [1, 0.3]], per_class={"a": 0.6, "b": None}),
    accuracy_row("hmar", 128, 0.74, difference_to_linear=[0.02, -0.01, 0.05]),
    accuracy_row("cosine", 0, 0.36),
    accuracy_row("hmar", 64, 0.95, "acir-compat", per_class={"a": 0.9}, pr_curve=[[0, 1], [1, 1]]),
    accuracy_row("HMAR", 64, 0.711, "quoted"),
    speed_row(),
]  # fmt: skip


@pytest.mark.slow
def test_every_measured_figure_stands_in_both_forms(tmp_path) -> None:
    page, markdown = report(tmp_path, ROWS)
    text = Elements(page).text
    accuracy = ("0.740", "0.720 to 0.770", "0.750", "+0.020 (-0.010 to +0.050)", "0.360")
    speed = ("3.200", "3.100 to 3.300", "1.250", "answers equal: 7 of 7")
    for figure in (*accuracy, *speed, "0123abc", "torch: 2.13.0"):
        assert figure in text
        assert figure in markdown


@pytest.mark.slow
def test_the_page_needs_nothing_from_outside(tmp_path) -> None:
    page, _ = report(tmp_path, ROWS, montages=[montage()])
    for tag, attributes in Elements(page).tags:
        assert tag not in {"script", "link", "iframe", "object"}
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert "url(" not in page
    assert "@import" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "prefers-color-scheme:dark" in page


@pytest.mark.slow
def test_tags_are_balanced_and_every_plot_is_well_formed(tmp_path) -> None:
    page, _ = report(tmp_path, ROWS, montages=[montage()])
    plots = re.findall(r"<svg.*?</svg>", page, re.S)
    # Two groups that are not quoted, each with mAP by peer, curves and classes; one part that was timed.
    assert len(plots) == 7
    for plot in plots:
        ElementTree.fromstring(plot)
        assert not re.search(r"[ \"(]nan[ \";)]", plot, re.I)
    for tag in ("table", "tr", "td", "th", "div", "section", "p", "figure", "details", "span", "h2", "h3"):
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>"), tag


@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "mark"), [("acir-compat", "acir-compat"), ("quoted", "quoted"), ("phantom", "synthetic")]
)
def test_other_protocols_are_marked_wherever_they_stand(tmp_path, protocol, mark) -> None:
    row = accuracy_row("hmar", 64, 0.9, protocol, per_class={"a": 0.9}, pr_curve=[[0, 1], [1, 1]])
    page, markdown = report(tmp_path, [row], montages=[montage(protocol)])
    plain = Elements(page)
    assert re.search(rf"<h2>[^<]*<span class=\"mark\">{mark}</span></h2>", page)
    assert re.search(rf"<th scope=\"row\">hmar<span class=\"mark\">{mark}</span></th>", page)
    assert re.search(rf"<p class=\"warn\"><span class=\"mark\">{mark}</span>", page)
    assert re.search(rf"<figcaption>[^<]*<span class=\"mark\">{mark}</span>", page)
    for title in re.findall(r"<svg[^>]*aria-label=\"([^\"]*)\"", page):
        assert title.endswith(f"[{mark}]")
    assert f"[{mark}]" in dict(plain.tags)["img"]["alt"]
    for line in markdown.splitlines():
        if line.startswith(("| hmar", "## protocol", "### AP", "![")):
            assert f"\\[{mark}\\]" in line
    assert f"| hmar \\[{mark}\\] |" in markdown


def tips(page: str) -> list[str]:
    """Return what points and lines say where a mouse rests on them, the plots' own titles left out."""
    plots = [ElementTree.fromstring(plot) for plot in re.findall(r"<svg.*?</svg>", page, re.S)]
    return [title.text or "" for plot in plots for title in plot.iterfind(".//g/title")]


@pytest.mark.slow
def test_every_row_is_a_point_with_its_interval(tmp_path) -> None:
    page, _ = report(tmp_path, ROWS)
    found = tips(page)
    for tip in (
        "linear, 64 bits: 0.700 (0.680 to 0.730)",
        "hmar, 128 bits: 0.740 (0.720 to 0.770)",
        "cosine: 0.360 (0.340 to 0.390)",
        "hmar, 64 bits [acir-compat]: 0.950 (0.930 to 0.980)",
        "ours, 1 thread; beside faiss, 5 frames: 3.200 (3.100 to 3.300)",
        "linear, 64 bits, b: 0.900",
        "hmar, 64 bits, a: 0.600",
    ):
        assert found.count(tip) == 1, tip
    # A curve each, named by its row.
    assert found.count("linear, 64 bits") == 1
    assert found.count("hmar, 64 bits") == 1


def test_points_stand_where_their_values_are(tmp_path) -> None:
    rows = [accuracy_row("hmar", 64, value) for value in (0.2, 0.4, 0.6)]
    page, _ = report(tmp_path, [row | {"name": f"peer {row['macro_map']}"} for row in rows])
    [plot] = [ElementTree.fromstring(plot) for plot in re.findall(r"<svg.*?</svg>", page, re.S)]
    places = {}
    for group in plot.iter("g"):
        title, point = group.find("title"), group.find(".//path[@transform]")
        if title is not None and point is not None:
            places[title.text] = [float(number) for number in re.findall(r"[\d.]+", point.get("transform"))]
    (x2, y2), (x4, y4), (x6, y6) = (places[tip] for tip in sorted(places))
    assert x4 - x2 == pytest.approx(x6 - x4, abs=0.05)
    assert x4 > x2
    # The best stands at the top.
    assert y6 < y4 < y2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["$\\frac{1$", "\x00\x1b[0m", "肝臓", "<b>&amp;", "a\nb"])
def test_a_name_of_any_letters_is_drawn_as_it_is(tmp_path, name) -> None:
    row = accuracy_row(name, 64, 0.5, per_class={name: 0.5}, pr_curve=[[0, 1], [1, 0]])
    page, _ = report(tmp_path, [row, speed_row(name=name, peer=name)])
    expected = " ".join(name.replace("\x00", "").replace("\x1b", "").split())
    assert f"{expected}, 64 bits: 0.500 (0.480 to 0.530)" in tips(page)
    for plot in re.findall(r"<svg.*?</svg>", page, re.S):
        assert expected in [text.text for text in ElementTree.fromstring(plot).iter("text")]


def test_what_is_no_number_is_in_no_plot(tmp_path) -> None:
    nan = float("nan")
    rows = [
        accuracy_row("all", 64, nan, ci95=[nan, nan], per_class={"a": nan}, pr_curve=[[nan, nan]]),
        accuracy_row("interval", 64, 0.5, ci95=[nan, 0.6], per_class={"a": 0.5}),
        speed_row(ratio=nan),
        speed_row(part="other", ratio=0.0),
    ]
    page, _ = report(tmp_path, rows)
    assert tips(page) == ["interval, 64 bits: 0.500", "interval, 64 bits, a: 0.500"]


@pytest.mark.slow
def test_what_was_projected_is_hollow_and_said_to_be(tmp_path) -> None:
    rows = [
        {
            "protocol": "growth",
            "name": "scan",
            "frames": frames,
            "p50_ms": ms,
            "faiss_p50_ms": 4 * ms,
            "how": how,
        }
        for frames, ms, how in (
            (1000, 1.0, "measured"),
            (10000, 10.0, "measured"),
            (100000, 100.0, "projected"),
        )
    ]
    page, _ = report(tmp_path, rows)
    found = tips(page)
    assert "hmar, 1000 frames: 1 ms" in found
    assert "FAISS flat, 100000 frames: 400 ms, projected" in found
    [plot] = [ElementTree.fromstring(plot) for plot in re.findall(r"<svg.*?</svg>", page, re.S)]
    hollow = [
        group.findtext("title")
        for group in plot.iter("g")
        if any("fill: var(--paper)" in path.get("style", "") for path in group.iterfind("./g/path"))
    ]
    assert hollow == [tip for tip in found if tip.endswith("projected")]
    assert len(hollow) == 2
    texts = {text.text for text in plot.iter("text")}
    assert {"frames", "1 k", "10 ms", "hmar", "FAISS flat"} <= {text.replace("\xa0", " ") for text in texts}


@pytest.mark.slow
def test_the_growth_of_fast_searches_has_that_of_exact_ones_beside_it(tmp_path) -> None:
    rows = [
        {"protocol": "growth", "name": "fast", "frames": frames, "p50_ms": 1.0, "exact_p50_ms": 5.0,
         "how": "measured"}
        for frames in (1000, 10000)
    ]  # fmt: skip
    found = tips(report(tmp_path, rows)[0])
    assert {"hmar, 1000 frames: 1 ms", "exact search, 1000 frames: 5 ms"} <= set(found)
    assert not any("FAISS" in tip for tip in found)


@pytest.mark.slow
def test_plots_have_the_colours_and_the_font_of_the_page(tmp_path) -> None:
    page, _ = report(tmp_path, [*ROWS, accuracy_row("third", 64, 0.4)])
    for plot in re.findall(r"<svg.*?</svg>", page, re.S):
        assert not re.search(r"#[0-9a-f]{6}|font-family", plot)
    names = set(re.findall(r"var\(--([a-z0-9-]+)\)", page))
    for name in names:
        # Without a scheme, in light and in dark.
        assert page.count(f"--{name}:") == (1 if name == "plot" else 2), name


@pytest.mark.slow
def test_the_same_rows_make_the_same_page(tmp_path) -> None:
    first, second = (report(tmp_path / name, ROWS, montages=[montage()]) for name in "ab")
    assert first == second


@pytest.mark.slow
def test_drawing_leaves_matplotlib_as_it_was(tmp_path) -> None:
    before = dict(matplotlib.rcParams)
    report(tmp_path, ROWS)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.slow
def test_help_and_the_tables_of_a_terminal_import_neither_matplotlib_nor_jinja(tmp_path) -> None:
    script = (
        "import sys\nfrom hmar.cli import main\n"
        "main(['bench', 'accuracy', '--help'], standalone_mode=False)\n"
        "print(sorted({'matplotlib', 'jinja2'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "--report" in run.stdout
    assert run.stdout.splitlines()[-1] == "[]"


def test_quoted_figures_are_in_no_plot(tmp_path) -> None:
    page, _ = report(tmp_path, [accuracy_row("HMAR", 64, 0.711, "quoted")])
    assert "<svg" not in page
    assert "0.711" in page


def test_of_quoted_figures_only_what_the_paper_says_is_tabled(tmp_path) -> None:
    row = accuracy_row("HMAR", 64, 0.7, "quoted", seeds=1, queries=0, source="a paper", metric="mAP@100")
    _, markdown = report(tmp_path, [row | {"macro_map": None}])
    assert "a paper" in markdown
    assert "mAP@100" in markdown
    assert "| Seeds |" not in markdown
    assert "| Queries |" not in markdown


@pytest.mark.slow
def test_protocols_data_sets_and_directions_have_tables_of_their_own_clean_first(tmp_path) -> None:
    rows = [
        accuracy_row("a", 64, 0.1, "quoted"),
        accuracy_row("a", 64, 0.2, "acir-compat"),
        accuracy_row("a", 64, 0.3, direction="lidc to ts"),
        accuracy_row("a", 64, 0.4, direction="ts to lidc"),
    ]
    _, markdown = report(tmp_path, rows)
    assert [cells[3] for cells in table_rows(markdown, "a")] == ["0.300", "0.400", "0.200", "0.100"]


@pytest.mark.slow
def test_a_table_goes_by_bits_and_then_by_macro_map(tmp_path) -> None:
    _, markdown = report(tmp_path, [row for row in ROWS if row["protocol"] == "clean"])
    found = [
        line.split(" | ")[:2] for line in markdown.splitlines() if re.match(r"\| (linear|hmar|cos)", line)
    ]
    order = [
        ["| cosine", "float"],
        ["| hmar", "64"],
        ["| linear", "64"],
        ["| hmar", "128"],
        ["| linear", "128"],
    ]
    assert found == order


@pytest.mark.slow
def test_nothing_in_a_value_becomes_markup(tmp_path) -> None:
    row = accuracy_row(NASTY, 64, 0.5, dataset=NASTY, per_class={NASTY: 0.5}, pr_curve=[[0, 1], [1, 0]])
    page, markdown = report(
        tmp_path,
        [row, speed_row(peer=NASTY), {"protocol": NASTY, NASTY: NASTY}],
        NASTY,
        [montage(title=NASTY)],
    )
    assert "script" not in {tag for tag, _ in Elements(page).tags}
    assert "<script" not in page + markdown
    for plot in re.findall(r"<svg.*?</svg>", page, re.S):
        ElementTree.fromstring(plot)


@pytest.mark.slow
@given(st.text(max_size=40))
def test_an_escaped_text_is_one_line_without_active_characters(text: str) -> None:
    found = escaped(text)
    assert len(found.splitlines()) <= 1
    assert not re.search(r"(?<!\\)(?:\\\\)*[|*_`\[\]]", found)
    assert "<" not in found


@pytest.mark.slow
def test_montages_are_pictures_in_the_page_and_files_beside_the_markdown(tmp_path) -> None:
    page, markdown = report(tmp_path, ROWS, montages=[montage(), montage("acir-compat")])
    data = re.findall(r'src="data:image/png;base64,([^"]*)"', page)
    assert len(data) == 2
    for number, encoded in enumerate(data, start=1):
        beside = (tmp_path / "out" / f"montage-{number}.png").read_bytes()
        assert base64.b64decode(encoded) == beside
        assert f"(montage-{number}.png)" in markdown
    with Image.open(io.BytesIO(beside)) as picture:
        assert picture.format == "PNG"
    alt = dict(Elements(page).tags)["img"]["alt"]
    assert "1 class 0 (right); 2 class 1 (wrong)" in alt


def test_rows_of_an_unknown_kind_are_tabled_with_all_their_keys(tmp_path) -> None:
    _, markdown = report(tmp_path, [{"protocol": "phantoms", "shift_mm": 4.0, "bits_agreeing": 0.93}])
    assert "| protocol | shift mm | bits agreeing |" in markdown
    assert "| phantoms | 4.000 | 0.930 |" in markdown


def test_regions_are_tabled_by_their_area(tmp_path) -> None:
    bins = [{"area_cm2": "1-4", "queries": 7, "macro_map": 0.11, "p_at_10": 0.2, "iou": None}]
    row = accuracy_row("itq", 64, 0.1, "region", direction="lidc to ts", area_bins=bins)
    page, markdown = report(tmp_path, [row])
    assert "| itq | 64 | 1-4 | 0.110 | 0.200 | - | 7 |" in markdown
    assert "By area of the region" in page


def test_a_report_of_nothing_says_where_it_ran(tmp_path) -> None:
    page, markdown = report(tmp_path, [])
    assert "0123abc" in page
    assert "0123abc" in markdown


def test_a_folder_that_cannot_be_written_is_refused_with_its_name(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        write_report([], tmp_path / "file", "A run", {})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (float("nan"), "-"), (np.float32(0.25), "0.250"), (64, "64"), (True, "yes"),
        (0.0, "0.000"),
        (2.4e-7, "2.4e-07"), (512.34, "512.3"), ({"a": 1, "b": 0.5}, "a: 1; b: 0.500"), ([1, 2], "1, 2"),
    ],
)  # fmt: skip
def test_values_are_written_in_one_way(value, text) -> None:
    assert shown(value) == text


def test_intervals_and_differences_that_are_not_there_are_a_dash() -> None:
    assert shown_interval(None) == shown_interval([0.1]) == shown_difference(None) == "-"
    assert shown_difference({"mean": 0.1, "low": -0.1, "high": 0.3}) == "+0.100 (-0.100 to +0.300)"
    assert shown_difference(-0.05) == "-0.050"


def test_a_row_whose_model_learnt_from_the_gallery_is_marked_on_pages_and_terminal(tmp_path, capsys) -> None:
    rows = [
        accuracy_row(name, 64, 0.5, "region", direction="lidc->ts", gallery_learnt_from=name == "hmar")
        for name in ("cells", "hmar")
    ]
    page, markdown = report(tmp_path, rows)
    print_rows(rows)
    terminal = capsys.readouterr().out
    assert page.count('hmar<span class="mark">gallery learnt from</span>') == 1
    assert markdown.count("hmar \\[gallery learnt from\\]") == 1
    assert terminal.count("hmar [gallery learnt from]") == 1
    for text in (page, markdown, " ".join(terminal.split())):
        assert "not comparable with the others" in text
        assert "cells [" not in text


def test_rows_of_phantoms_with_an_empty_place_for_a_map_stand_among_further_figures(tmp_path) -> None:
    row = {
        "name": "hmar",
        "bits": 64,
        "protocol": "phantom",
        "macro_map": None,
        "rank_median": 7.5,
        "data": "x",
    }
    _, markdown = report(tmp_path, [row])
    assert "Further figures, protocol phantom \\[synthetic\\]" in markdown
    assert "| name | bits | protocol | rank median |" in markdown
