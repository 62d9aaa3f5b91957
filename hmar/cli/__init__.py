"""The command line: ``hmar COMMAND``.

A command's module is imported when the command is used, so that ``hmar --help`` needs neither numpy nor a
database driver.
"""

from __future__ import annotations

import errno
import os

import click

from hmar import __version__
from hmar.cli.commands import all_commands
from hmar.cli.lazy import LazyGroup
from hmar.disk import FULL
from hmar.errors import ConfigError, HmarError, OperatorError, ParameterError
from hmar.values.references import printable

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
            click.echo(printable(f"Error: {error.detail} {error.remedy}"), err=True)
            ctx.exit(OPERATOR_ERROR if isinstance(error, OperatorError) else USER_ERROR)
        except OSError as error:
            if error.errno == errno.EPIPE:  # a reader such as head is gone: click ends without a word
                raise
            click.echo(printable(_line_of(error)), err=True)
            ctx.exit(OPERATOR_ERROR)


def _line_of(error: OSError) -> str:
    if error.errno in FULL:
        return "Error: The disk is full. Free some space, and try again."
    name = "A file" if error.filename is None else os.fsdecode(error.filename)
    return f"Error: {name} cannot be used ({error.strerror}). Check the path, its permissions and its disk."


@click.group(
    cls=MainGroup, commands_of=all_commands, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="hmar")
@click.option(
    "--server",
    metavar="URL",
    help="Ask this server in place of the archive of this machine; HMAR_SERVER without it. The key comes "
    "from HMAR_API_KEY, or from the file that HMAR_API_KEY_FILE names, which only you may read.",
)
@click.pass_context
def main(context: click.Context, server: str | None) -> None:
    """Search medical images by what they show.

    \b
    Begin with:
      hmar serve                    # the product, at http://127.0.0.1:8080
      hmar index /data/ct-study     # in another terminal
      hmar search slice.dcm --region 200,180,40,40

    All settings are environment variables; HMAR_HOME names the data directory (default: ./hmar-data).

    
    On a server, with the same options and the same output:
      hmar --server https://pacs.example/hmar index /data/ct-study
      hmar --server https://pacs.example/hmar search slice.dcm --region 200,180,40,40
    """
    name = context.invoked_subcommand
    if server is not None and name is not None and name in all_commands():
        _check_remote(name, server)


def _check_remote(name: str, server: str) -> None:
    if not server.strip():
        raise ConfigError("--server is empty.", "Give an address such as https://pacs.example/hmar.")
    if not all_commands()[name].remote:
        raise ParameterError(
            f"'hmar {name}' works on the archive of this machine alone, and --server is given.",
            f"Leave --server out, or run 'hmar {name}' on the server's machine.",
        )
