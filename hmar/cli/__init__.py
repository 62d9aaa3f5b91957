"""The command line: ``hmar COMMAND``.

A command's module is imported when the command is used, so that ``hmar --help`` needs neither numpy nor a
database driver.

click documents such a group but ships none, and its own overview would import every command for its line of
help.
"""

from __future__ import annotations

import click

from hmar import __version__
from hmar.cli.commands import all_commands
from hmar.errors import HmarError, OperatorError

USER_ERROR = 2
OPERATOR_ERROR = 3
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that imports a command when it is used, and prints errors without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, in the order of the overview."""
        return list(all_commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command."""
        command = all_commands().get(cmd_name)
        return None if command is None else command.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in all_commands().items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an error of ours becomes one line and an exit status."""
        try:
            return super().invoke(ctx)
        except HmarError as error:
            click.echo(f"Error: {error.detail} {error.remedy}", err=True)
            ctx.exit(OPERATOR_ERROR if isinstance(error, OperatorError) else USER_ERROR)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hmar")
def main() -> None:
    """Search medical images by what they show.

    \b
    Begin with:
      hmar serve                    # the product, at http://127.0.0.1:8080
      hmar index /data/ct-study     # in another terminal
      hmar search slice.dcm --region 200,180,40,40

    All settings are environment variables; HMAR_HOME names the data directory (default: ./hmar-data).
    """
