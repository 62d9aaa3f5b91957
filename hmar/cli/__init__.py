"""The command line: ``hmar COMMAND``.

A command's module is imported when the command is used, so that ``hmar --help`` needs neither numpy nor a
database driver.
"""

from __future__ import annotations

import importlib

import click

from hmar import __version__
from hmar.errors import HmarError, OperatorError

USER_ERROR = 2
OPERATOR_ERROR = 3
INTERRUPTED = 130

COMMANDS = {
    "serve": ("hmar.cli.serve", "serve", "Run the product: broker, worker and web server."),
    "index": ("hmar.cli.index", "index", "Index a file or a folder of images."),
    "search": ("hmar.cli.search", "search", "Search for images like one, or like a region of one."),
    "demo": ("hmar.cli.demo", "demo", "Find a real nodule again, and measure how well."),
    "sample-data": ("hmar.cli.sample_data", "sample_data", "Fetch a real CT study to try things with."),
    "train": ("hmar.cli.train", "train", "Train a model."),
    "export-model": ("hmar.cli.export_model", "export_model", "Write again what serves a model."),
    "bench": ("hmar.cli.bench", "bench", "Measure how well and how fast images are found."),
    "keys": ("hmar.cli.keys", "keys", "Make, list and revoke API keys; make a login link."),
    "doctor": ("hmar.cli.doctor", "doctor", "Check every part and say what to do."),
}
"""Each command's module, the name in it, and its line in the overview."""


class LazyGroup(click.Group):
    """A group that imports a command when it is used, and prints errors without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order of the table above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

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
