"""``hmar pacs``: how the PACS of the site are followed, and what somebody wants done of that."""

from __future__ import annotations

import json

import click

from hmar.cli.settings import settings_from_environment
from hmar.cli.tables import print_table
from hmar.values.follows import FollowInfo, SweepKind
from hmar.watching.following import Following
from hmar.wiring import build_engine


@click.group()
def pacs() -> None:
    """Tell how PACS are followed, and compare what both sides have.

    A PACS is followed where HMAR_HOME/pacs.toml has a table [NAME.follow]; the workers of the running product
    do it. What is asked for here is done by the worker that watches the PACS.

    \b
    Examples:
      hmar pacs status
      hmar pacs sweep main
      hmar pacs resync main
      hmar pacs delete-gone main
    """


def _following() -> Following:
    engine = build_engine(settings_from_environment())
    click.get_current_context().call_on_close(engine.close)
    return engine.following


@pacs.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, as the API does.")
def status(name: str | None, as_json: bool) -> None:
    """Tell how far each PACS is followed, or the PACS NAME, and what is wrong.

    \b
    Examples:
      hmar pacs status
      hmar pacs status main --json
    """
    following = _following()
    found = following.listed() if name is None else [following.named(name)]
    if as_json:
        click.echo(json.dumps({"pacs": [one.to_dict() for one in found]}))
        return
    print_table(
        (
            "name",
            "state",
            "cursor",
            "behind",
            "arrived",
            "deleted",
            "sweep",
            "only there",
            "only here",
            "reason",
        ),
        map(_row, found),
    )


@pacs.command()
@click.argument("name")
def sweep(name: str) -> None:
    """Compare now what the PACS NAME and the archive have.

    What nobody has asked the PACS for is indexed. What it has no more is deleted, unless that is more than
    most_deleted allows.

    \b
    Example:
      hmar pacs sweep main
    """
    _ask(name, "sweep")


@pacs.command()
@click.argument("name")
def resync(name: str) -> None:
    """Compare, and fetch everything that the PACS NAME has once more.

    For instances that the PACS has with other pixels by now, for those that could not be indexed, and for
    those that were deleted here.

    \b
    Example:
      hmar pacs resync main
    """
    _ask(name, "resync")


@pacs.command("delete-gone")
@click.argument("name")
def delete_gone(name: str) -> None:
    """Delete what the last sweep of the PACS NAME found gone, however much that is.

    The PACS is asked once more for each of it.

    \b
    Example:
      hmar pacs delete-gone main
    """
    _ask(name, "delete")


def _ask(name: str, kind: SweepKind) -> None:
    info = _following().ask(name, kind)
    click.echo(f"The PACS {name} is asked. See 'hmar pacs status {name}'.")
    if not info.followed.watched:
        click.echo("No worker watches it now: it begins with 'hmar serve'.", err=True)


def _row(one: FollowInfo) -> tuple[object, ...]:
    if one.follow is None:
        return (one.name, "not followed", *[None] * 8)
    state = one.followed.state
    words = "watched" if one.followed.watched else "not watched"
    if state.failures or state.stopped is not None:
        words = "failing" if state.failures else "stopped"
    return (
        one.name,
        words,
        state.cursor,
        state.behind,
        state.arrived,
        state.deleted,
        one.followed.asked or state.sweep,
        state.only_there,
        state.only_here,
        state.reason or state.stopped,
    )
