"""A group of commands whose overview imports none of them.

click documents such a group but ships none, and its own overview would import every command for its line of
help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click

from hmar.cli.commands import Command


class LazyGroup(click.Group):
    """A group that imports a command when the command is used.

    Parameters
    ----------
    commands_of : callable
        Returns the commands by name, in the order of the overview; called when they are needed.
    *args, **attributes
        As for click.Group.
    """

    def __init__(
        self, *args: object, commands_of: Callable[[], Mapping[str, Command]], **attributes: object
    ) -> None:
        super().__init__(*args, **attributes)  # type: ignore[arg-type] # click's own many arguments
        self._commands_of = commands_of

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, in the order of the overview."""
        return list(self._commands_of())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command."""
        command = self._commands_of().get(cmd_name)
        return None if command is None else command.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in self._commands_of().items()])
