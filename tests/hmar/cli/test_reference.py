"""The page of commands, from a group that has one of everything."""

from __future__ import annotations

import click

from hmar.cli.reference import reference_page


@click.group()
def tools() -> None:
    """Tools."""


@tools.command()
@click.argument("wood")
@click.argument("nails", nargs=-1)
@click.option("--size", type=click.IntRange(1, 9), default=3, show_default=True, help="How large.")
@click.option("--least", type=click.IntRange(2), help="At least.")
@click.option("--kind", type=click.Choice(["a", "b"]), multiple=True, help="Either | or.")
@click.option("--out", type=click.Path(file_okay=False), required=True, help="Where to.")
@click.option("--home", show_default="HOME/x", help="From where.")
@click.option("--host", show_default="HOST, or nothing", help="Where.")
@click.option("--loud", "-l", is_flag=True, help="Say more.")
@click.option("--secret", hidden=True, help="Not shown.")
def build(**_: object) -> None:
    """Build something of WOOD.

    One sentence that is wrapped
    in the source.

    \b
    It brings:
      a   one
      b   two

    \b
    Examples:
      hmar build oak --out x
      hmar build elm --out y

    The last words.
    """


@tools.group()
def more() -> None:
    """Do more."""


@more.command()
def inner() -> None:
    """Do it within."""


PAGE = """\
# Tools

## hmar build WOOD [NAILS]...

Build something of WOOD.

One sentence that is wrapped in the source.

It brings:

```
a   one
b   two
```

The last words.

| option | value | meaning | default |
|---|---|---|---|
| `--size` | 1 to 9 | How large. | `3` |
| `--least` | from 2 | At least. |  |
| `--kind` | `a`, `b`, repeatable | Either \\| or. |  |
| `--out` | `directory` | Where to. | required |
| `--home` | `text` | From where. | `HOME/x` |
| `--host` | `text` | Where. | HOST, or nothing |
| `--loud`, `-l` |  | Say more. |  |

Examples:

```
hmar build oak --out x
hmar build elm --out y
```

## hmar more

Do more.

### hmar more inner

Do it within.
"""


def test_every_command_has_its_usage_description_options_and_examples() -> None:
    assert reference_page(tools, "# Tools\n") == PAGE
