"""``hmar changes``."""

from __future__ import annotations

import json

import click

from hmar.cli.places import place


@click.command()
@click.option(
    "--after",
    default=0,
    type=click.IntRange(0),
    show_default=True,
    help="Number of the last change that is known; 0 begins with the first.",
)
@click.option("--collection", metavar="NAME", help="Only changes of this collection.")
@click.option("--follow", is_flag=True, help="Wait for further changes, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print each change as a line of JSON, as the API does.")
def changes(after: int, collection: str | None, follow: bool, as_json: bool) -> None:
    """List what was indexed and deleted, frame by frame, in the order in which it happened.

    Each line begins with the change's number, with which --after goes on another time: none is missed. Of a
    frame that was deleted, only the number of the change that added it is known. A frame that gets another
    label is deleted and added.

    \b
    Examples:
      hmar changes
      hmar changes --after 152 --json
      hmar --server https://pacs.example/hmar changes --after 152 --follow
    """
    for change in place().changes(after, collection, follow=follow):
        told = change.to_dict()
        if as_json:
            click.echo(json.dumps(told))
        elif change.entry is None:
            undone = f" (of change {change.entry_id})" if change.kind == "delete" else " (deleted since)"
            click.echo(f"{change.seq}  {told['at']}  {change.kind}  {change.collection}{undone}")
        else:
            frame = f"{told['sop_instance_uid']}  frame {told['frame_number']}"
            click.echo(f"{change.seq}  {told['at']}  {change.kind}  {change.collection}  {frame}")
