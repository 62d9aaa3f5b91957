"""The page of all commands, ``docs/cli.md``, made from their own help: ``make docs`` writes it.

``python -m hmar.cli.reference PATH`` writes it to PATH.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent, fill

import click

from hmar.cli import main

PROGRAM = "hmar"
HEADER = """\
# Command line

`make docs` writes this page from the commands' own help: change the help, not the page. `hmar COMMAND --help`
(or `-h`) shows the same in a terminal, `hmar --version` the version. Settings are environment variables
([settings.md](settings.md)); exit statuses are in [errors.md](errors.md).

`hmar --server URL COMMAND` asks a server in place of the archive of this machine, with the same options and
the same output: `index`, `search`, `export-dicom`, `collections`, `patients`, `studies`, `series`, `labels`,
`changes`, `jobs`, `delete`, `webhooks`. Without `--server`, these commands ask the server that `HMAR_SERVER`
names, if it is set. The key comes from `HMAR_API_KEY`, or from the file that `HMAR_API_KEY_FILE` names, never
from the command line. All other commands work on this machine alone, whatever `HMAR_SERVER` says, and refuse
`--server`.

What `hmar sample-data` fetches is in [data.md](data.md), how to train in [training.md](training.md), what the
peers and protocols of `hmar bench` are in [benchmark/README.md](../benchmark/README.md), and the fields of
its rows in [benchmark-rows.md](benchmark-rows.md).
"""
WIDTH = 120
_VERBATIM = "\b"
"""Begins a paragraph that click does not wrap."""


def reference_page(group: click.Group, header: str = HEADER) -> str:
    """Return the page of a group's commands, in Markdown.

    Every command has its usage, its description, its options with their values and defaults, and its
    examples; commands of a group come behind it, one level deeper.
    """
    with click.Context(group, info_name=PROGRAM) as context:
        return "\n".join([header, *_sections(group, context, level=2)])


def _sections(group: click.Group, context: click.Context, level: int) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        with click.Context(command, info_name=name, parent=context) as inner:
            yield _section(command, inner, level)
            if isinstance(command, click.Group):
                yield from _sections(command, inner, level + 1)


def _section(command: click.Command, context: click.Context, level: int) -> str:
    arguments = [item.make_metavar(context) for item in command.params if isinstance(item, click.Argument)]
    heading = f"{'#' * level} {' '.join([context.command_path, *arguments])}"
    options = [item for item in command.params if isinstance(item, click.Option) and not item.hidden]
    table = [_table(options, context)] if options else []
    text = _paragraphs(command.help or "")
    examples = [block for block in text if block.startswith(("Example:", "Examples:"))]
    description = [block for block in text if block not in examples]
    return "\n\n".join([heading, *description, *table, *examples]) + "\n"


def _paragraphs(text: str) -> list[str]:
    """Return a help text's paragraphs; those that click does not wrap become code."""
    return [
        _code(paragraph.removeprefix(_VERBATIM).strip("\n"))
        if paragraph.startswith(_VERBATIM)
        else fill(" ".join(paragraph.split()), WIDTH, break_long_words=False, break_on_hyphens=False)
        for paragraph in inspect.cleandoc(text).split("\n\n")
        if paragraph.strip()
    ]


def _code(paragraph: str) -> str:
    """Return a block of code; a first line that is not indented as the others are stands above it."""
    first, _, rest = paragraph.partition("\n")
    if first.endswith(":") and rest.startswith(" "):
        return f"{first}\n\n```\n{dedent(rest)}\n```"
    return f"```\n{dedent(paragraph)}\n```"


def _table(options: Sequence[click.Option], context: click.Context) -> str:
    rows = [_row(option, context) for option in options]
    return "\n".join(["| option | value | meaning | default |", "|---|---|---|---|", *rows])


def _row(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    cells = (names, _value(option), option.help or "", _default(option, context))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(option: click.Option) -> str:
    """Return what an option takes: the choices, the range, or the kind of value."""
    kind = option.type
    if option.is_flag:
        value = ""
    elif isinstance(kind, click.Choice):
        value = ", ".join(f"`{choice}`" for choice in kind.choices)
    elif isinstance(kind, click.IntRange):
        value = f"from {kind.min}" if kind.max is None else f"{kind.min} to {kind.max}"
    else:
        value = f"`{option.metavar or kind.name}`"
    return f"{value}, repeatable" if option.multiple else value


def _default(option: click.Option, context: click.Context) -> str:
    if option.required:
        return "required"
    shown = option.get_help_extra(context).get("default", "").strip("()")
    return f"`{shown}`" if shown and " " not in shown else shown  # words or a value


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference_page(main), "utf-8")
