"""The command line: ``hmar COMMAND``.

A command's module is imported when the command is used, so that ``hmar --help`` needs neither numpy nor a
database driver.
"""

from __future__ import annotations

import click

from hmar import __version__
from hmar.cli.commands import all_commands
from hmar.cli.lazy import LazyGroup
from hmar.errors import HmarError, OperatorError

USER_ERROR = 2
OPERATOR_ERROR = 3
INTERRUPTED = 130


class MainGroup(LazyGroup):
    """All commands; an error of ours becomes one line on stderr, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; exit with 2 for a caller's error and with 3 for an operator's."""
        try:
            return super().invoke(ctx)
        except HmarError as error:
            click.echo(f"Error: {error.detail} {error.remedy}", err=True)
            ctx.exit(OPERATOR_ERROR if isinstance(error, OperatorError) else USER_ERROR)


@click.group(
    cls=MainGroup, commands_of=all_commands, context_settings={"help_option_names": ["-h", "--help"]}
)
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
