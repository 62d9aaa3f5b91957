"""The documentation says what the program does: every setting, route, error, command and option."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask

from hmar import __version__, errors
from hmar.adapters.memory import InlineQueue
from hmar.cli import main
from hmar.cli.commands import all_commands
from hmar.cli.reference import reference_page
from hmar.config import Settings
from hmar.dicom.syntaxes import SYNTAXES
from hmar.properties import documented
from hmar.thumbnail import ThumbnailEncoder
from hmar.training.config import PRESETS, TrainingConfig
from hmar.wiring import build_engine
from service import errors as service_errors
from service.app import create_app
from service.operations.operation import operation_of
from service.problem_table import all_problems

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "benchmark").rglob("*.md")),
    *DOCS,
]
WRITTEN = PAGES
"""Pages written by hand."""
COINED = {
    r"trunks?": "backbone",
    r"by heart": "memorise, overfit",
    r"in so many|so many (?:times|of|is|are)": "a number, or a factor",
    r"takes? no part": "is left out",
    r"(?:beyond|the) reach": "cut-off, radius",
    r"(?:on|across) (?:one|two|both|several|another|different) sides?(?! of)": "split",
    r"running averages?": "EMA, running mean",
    r"near (?:copy|copies|duplicates?)": "near-duplicate",
    r"much of (?:all|it)": "a large share",
    r"torch's (?:bits?|codes?)|are torch's": "bit-exact with PyTorch",
    r"what is wanted|(?:goal|target) (?:was|is) \d": "the figure, without a target",
    r"falls? short": "the figure, and what limits it",
    r"has foreseen": "branch prediction",
    r"bbox(?:es)?": "region, box",
}
"""What a reader would have to guess at, and what the field says instead."""
METHOD = "(?:GET|POST|PATCH|DELETE)"
FORBIDDEN = {
    "an unfinished mark": re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|TB" + r"D)\b"),
    "a path of one machine": re.compile(r"(?<![\w.}/])/(home|root|work|Users|mnt)/"),
    "a registry's host": re.compile(r"https?://[^\s)]*(pypi|registry|/simple)"),
}


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command, those within groups too, by its full name."""
    context = click.Context(main)
    for name in all_commands():
        command = main.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                assert found is not None
                yield f"{name} {inner}", found


def section(page: str, heading: str) -> str:
    """Return a page from a heading to the next one of any level."""
    match = re.search(
        rf"^#+ {re.escape(heading)}(?: [^\n]*)?$(?:.*?)(?=^#+ |\Z)", page, re.MULTILINE | re.DOTALL
    )
    assert match is not None, f"no heading {heading!r}"
    return match[0]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    settings = Settings(home=tmp_path_factory.mktemp("docs")).checked()
    return create_app(build_engine(settings, ThumbnailEncoder(), InlineQueue()))


def routes(app: Flask) -> set[str]:
    """Return every route as ``METHOD /path/{parameter}``."""
    found = set()
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        if rule.endpoint != "static":
            found |= {f"{method} {path}" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    return found


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: setting.metadata["variable"])
def test_every_setting_is_documented_with_its_default(setting: Field[Any]) -> None:
    shown = "empty" if setting.default == "" else f"`{setting.default}`"
    assert f"| `{setting.metadata['variable']}` | {shown} | " in read("docs/settings.md")


def training_table(columns: int) -> dict[str, list[str]]:
    """Return the rows of the training page's table with this number of columns, by setting."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", section(read("docs/training.md"), "Settings"), re.MULTILINE)
    cells = {
        name: [cell.strip(" `") for cell in rest.split("|")]
        for name, rest in rows
        if rest.count("|") == columns - 2
    }
    assert cells
    return cells


def test_every_setting_of_training_is_documented_with_its_default_and_no_other() -> None:
    documented = {name: default for name, (default, _) in training_table(3).items()}
    assert documented == {field.name: repr(field.default) for field in fields(TrainingConfig)}


def test_what_the_presets_of_training_change_is_documented_and_nothing_else() -> None:
    defaults = TrainingConfig()
    assert PRESETS["structures"] == defaults
    presets = [PRESETS[name] for name in ("open-ct", "lesions", "archive", "quick")]
    changed = {}
    for field in fields(TrainingConfig):
        default = getattr(defaults, field.name)
        values = [getattr(preset, field.name) for preset in presets]
        if any(value != default for value in values):
            changed[field.name] = ["" if value == default else repr(value) for value in values]
    assert training_table(5) == changed


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    documented = set(re.findall(r"^\| `(HMAR_\w+)`", read("docs/settings.md"), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"HMAR_[A-Z0-9_]+", page.read_text("utf-8")))
        assert named <= documented, page.name


def test_every_route_is_documented_and_no_other(app: Flask) -> None:
    documented = set(
        re.findall(
            r"(?:^## |^\| `)((?:GET|POST|PATCH|DELETE) /\S*?)(?:`|$)", read("docs/api.md"), re.MULTILINE
        )
    )
    assert documented == routes(app)


def test_the_scope_of_every_route_is_documented_and_no_other(app: Flask) -> None:
    declared = {}
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        scope = operation_of(app.view_functions[rule.endpoint]).scope
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"} if rule.endpoint != "static" else ():
            declared[f"{method} {path}"] = {None: "none needed", "any": "any"}.get(scope, f"`{scope}`")
    page = section(read("docs/security.md"), "Who may do what")
    assert dict(re.findall(rf"^\| `({METHOD} \S+)` \| (.+) \|$", page, re.MULTILINE)) == declared


def test_every_class_of_errors_is_documented() -> None:
    page = read("docs/errors.md")
    for module in (errors, service_errors):
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, errors.HmarError):
                assert name in page


def test_the_tree_of_errors_is_that_of_the_code() -> None:
    tree = (errors.__doc__ or "").split("::\n\n", 1)[1].split("\n\n", 1)[0]
    assert "\n".join(line[4:] for line in tree.splitlines()) in read("docs/errors.md")


def test_every_problem_is_documented_with_its_status() -> None:
    known = list(all_problems())
    documented = re.findall(r"^\| `/problems/([\w-]+)` \| (\d+) \|", read("docs/errors.md"), re.MULTILINE)
    assert {(problem.slug, str(problem.status)) for problem in known} == set(documented)


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_is_documented_and_no_other(name: str, command: click.Command) -> None:
    text = section(read("docs/cli.md"), f"hmar {name}")
    options = {opt for item in command.params if isinstance(item, click.Option) for opt in item.opts}
    arguments = [item for item in command.params if isinstance(item, click.Argument)]
    assert set(re.findall(r"^\| `(-[\w-]+)` \|", text, re.MULTILINE)) == options - {"--help"}
    for argument in arguments:
        assert str(argument.name).upper() in text.splitlines()[0]


def test_the_page_of_commands_is_what_their_help_says() -> None:
    assert read("docs/cli.md") == reference_page(main), "run: make docs"


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_help_of_every_command_and_option_explains_it(name: str, command: click.Command) -> None:
    first, *rest = inspect.cleandoc(command.help or "").split("\n\n")
    assert first.endswith(".")
    assert any("Example" in paragraph for paragraph in rest)
    for option in command.params:
        if isinstance(option, click.Option):
            assert (option.help or "").endswith("."), (name, option.name)


def test_the_page_of_the_api_has_the_table_of_properties_as_it_is() -> None:
    text = read("docs/api.md")
    assert documented.api_table() in text
    assert documented.filled(text, documented.api_table()) == text


@pytest.mark.slow
def test_make_docs_writes_the_table_into_the_page(tmp_path: Path) -> None:
    page = tmp_path / "api.md"
    page.write_text(read("docs/api.md").replace(documented.api_table(), "| old |\n"), "utf-8")
    subprocess.run([sys.executable, "-m", documented.__name__, page], cwd=ROOT, check=True)
    assert page.read_text("utf-8") == read("docs/api.md")


def test_a_table_is_written_between_its_marks_and_nothing_else_changes() -> None:
    page = "before\n<!-- properties: begin (x) -->\nold\n<!-- properties: end -->\nafter\n"
    new = documented.filled(page, "new\n")
    assert new == page.replace("old", "new")
    assert documented.filled("a page without marks", "new\n") == "a page without marks"


def test_no_command_is_documented_that_does_not_exist() -> None:
    known = {name for name, _ in commands()}
    for heading in re.findall(r"^#+ hmar (.*)$", read("docs/cli.md"), re.MULTILINE):
        assert " ".join(word for word in heading.split() if word.islower()) in known


def test_every_command_of_the_pages_exists() -> None:
    known = {name for name, _ in commands()} | set(all_commands())
    for page in PAGES:
        for line in re.findall(
            r"(?:^|`|\$ |bin/|exec service )hmar ([a-z][a-z-]*(?: [a-z]+)?)", page.read_text("utf-8"), re.M
        ):
            assert line in known or line.split()[0] in known, (page.name, line)


def test_every_make_target_of_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:^|`|=1 |=9000 )make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE))
        assert named <= targets, page.name
    assert {"run", "test"} <= set(re.findall(r"^make (\w+)", read("README.md"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_nothing_unfinished_or_of_one_machine_is_published(page: Path) -> None:
    for what, pattern in FORBIDDEN.items():
        assert not pattern.search(page.read_text("utf-8")), what


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_compressed_transfer_syntax_is_documented_with_its_decoder(syntax: str) -> None:
    names = {"gdcm": "GDCM", "openjpeg": "OpenJPEG", "pillow": "Pillow", "rle": "pylibjpeg-rle"}
    (row,) = [line for line in read("docs/images.md").splitlines() if f"| {syntax} |" in line]
    assert row.split("|")[-2].split()[0] == names[SYNTAXES[syntax].decoder]


def coined(text: str) -> dict[str, str]:
    """Return what a Markdown text coins, and what to say instead.

    Code, addresses and file names do not count.
    """
    no_prose = r"^```.*?^```|`[^`\n]*`|\]\([^)]*\)|\b[\w/.-]+\.onnx\b"
    prose = re.sub(no_prose, " ", text, flags=re.MULTILINE | re.DOTALL)
    return {
        match[0]: better
        for phrase, better in COINED.items()
        for match in re.finditer(rf"\b(?:{phrase})\b", " ".join(prose.split()), re.IGNORECASE)
    }


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_speak_the_language_of_the_field(page: Path) -> None:
    assert coined(page.read_text("utf-8")) == {}


@pytest.mark.parametrize(
    "text",
    [
        "Its trunk is frozen.",
        "Few scans are learnt by\nheart.",
        "One frame in so many is much.",
        "Duplicates on another side.",
        "A row takes no part in neither.",
    ],
)
def test_a_coined_phrase_is_found(text: str) -> None:
    assert coined(text)


@pytest.mark.parametrize(
    "text",
    [
        "It lies in `trunk.onnx`, which [the export](trunk.md) writes.",
        "```\ntrunk_rate = 0\n```",
        "A window with a side of 36 mm, tested on both sides of the API.",
        "There are not so many.",
    ],
)
def test_plain_words_and_code_are_no_coined_phrases(text: str) -> None:
    assert not coined(text)


def test_every_page_is_reached_from_the_readme() -> None:
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        for target in re.findall(r"\]\(([^)#\s]+\.md)\)", page.read_text("utf-8")):
            found = (page.parent / target).resolve()
            if found not in reached:
                reached.add(found)
                ahead.append(found)
    assert {*PAGES} <= {ROOT / "README.md", *reached}


def test_decisions_are_numbered_and_short_and_have_their_three_parts() -> None:
    records = sorted((ROOT / "docs" / "adr").iterdir())
    for number, record in enumerate(records, start=1):
        text = record.read_text("utf-8")
        assert record.name.startswith(f"{number:04}-")
        assert text.startswith(f"# {number}. ")
        assert re.findall(r"^(Context|Decision|Consequence): ", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequence",
        ]
        assert len(text.splitlines()) <= 16, record.name


def test_every_experiment_has_its_five_parts_and_stands_in_the_index() -> None:
    folder = ROOT / "docs" / "experiments"
    index = {
        target: question
        for question, target in re.findall(
            r"^\| \[([^\]]+)\]\(([\w-]+\.md)\) \| \S", read("docs/experiments/README.md"), re.MULTILINE
        )
    }
    pages = {page.name: page.read_text("utf-8") for page in folder.glob("*.md") if page.name != "README.md"}
    assert index == {name: text.split("\n", 1)[0].removeprefix("# ") for name, text in pages.items()}
    for name, text in pages.items():
        parts = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert parts == ["Question", "Setup", "Result", "Decision", "Rows"], name


def test_every_file_of_results_is_quoted_by_an_experiment() -> None:
    pages = [*(ROOT / "docs" / "experiments").glob("*.md"), ROOT / "docs" / "trust.md"]
    quoted = "".join(page.read_text("utf-8") for page in pages)
    for rows in (ROOT / "benchmark" / "results").glob("*.jsonl"):
        assert f"results/{rows.name})" in quoted, rows.name


def test_the_changelog_knows_this_version() -> None:
    assert re.search(rf"^## \[{re.escape(__version__)}\]", read("CHANGELOG.md"), re.MULTILINE)


def test_the_readme_says_what_it_is_not_for() -> None:
    assert "Not a medical device; not for diagnosis." in read("README.md")
