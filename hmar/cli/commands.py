"""The commands of ``hmar``: its own, and those that installed packages register.

A package registers commands by an entry point of the group ``hmar.commands`` that names a mapping of
:class:`Command` by name, such as ``benchmark = "benchmark.cli:COMMANDS"`` in pyproject.toml. The module that
holds the mapping must be cheap to import: it is imported whenever the command line runs.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import import_module, metadata
from typing import NamedTuple

import click

ENTRY_POINTS = "hmar.commands"


class Command(NamedTuple):
    """Where a command is, its line in the overview, and whether it can ask a server."""

    module: str
    name: str
    summary: str
    remote: bool = False

    def load(self) -> click.Command:
        """Import the command."""
        command: click.Command = getattr(import_module(self.module), self.name)
        return command


OWN = {
    "serve": Command("hmar.cli.serve", "serve", "Run the product: broker, worker and web server."),
    "listen": Command("hmar.cli.listen", "listen", "Listen for DICOM objects (C-STORE)."),
    "index": Command("hmar.cli.index", "index", "Index a file or a folder of images.", True),
    "search": Command(
        "hmar.cli.search", "search", "Search for images like one, or like regions of one.", True
    ),
    "export-dicom": Command(
        "hmar.cli.export_dicom", "export_dicom", "Write hits as DICOM, or store them to a PACS.", True
    ),
    "collections": Command("hmar.cli.holdings", "collections", "List the collections in numbers.", True),
    "patients": Command("hmar.cli.holdings", "patients", "List the patients, by handles.", True),
    "studies": Command("hmar.cli.holdings", "studies", "List the studies, or the series of one.", True),
    "series": Command("hmar.cli.holdings", "series", "List the series, or the frames of one.", True),
    "labels": Command("hmar.cli.labels", "labels", "Count labels, or give images other ones.", True),
    "changes": Command("hmar.cli.changes", "changes", "List or follow what is indexed and deleted.", True),
    "jobs": Command("hmar.cli.jobs", "jobs", "List, follow, cancel and retry index jobs.", True),
    "delete": Command("hmar.cli.delete", "delete", "Delete an instance, series, study or patient.", True),
    "pacs": Command("hmar.cli.follow", "pacs", "Tell how PACS are followed, and compare both sides."),
    "webhooks": Command("hmar.cli.webhooks", "webhooks", "Send changes to receivers, signed.", True),
    "sample-data": Command(
        "hmar.cli.sample_data", "sample_data", "Fetch a real CT study to try things with."
    ),
    "train": Command("hmar.cli.training.train", "train", "Train a model."),
    "adapt": Command("hmar.cli.training.adapt", "adapt", "Fit the bits of a model to the archive."),
    "export-model": Command(
        "hmar.cli.training.export_model", "export_model", "Write again the files that serve a model."
    ),
    "models": Command("hmar.cli.models", "models", "List, install, use and remove the archive's models."),
    "slabs": Command("hmar.cli.slabs", "slabs", "Let one thin slice stand for its neighbours."),
    "reindex": Command("hmar.cli.reindex", "reindex", "Index the archive under another model."),
    "keys": Command("hmar.cli.keys", "keys", "Make, list and revoke API keys; make a login link."),
    "secrets": Command("hmar.cli.secrets", "secrets", "Rotate the secret that patients are told apart by."),
    "audit": Command("hmar.cli.audit", "audit", "Verify, export and prune the log of accesses."),
    "feedback": Command("hmar.cli.feedback", "feedback", "Export what people have said of hits."),
    "backup": Command("hmar.cli.backup", "backup", "Write a backup of the archive, or verify one."),
    "restore": Command("hmar.cli.restore", "restore", "Restore a backup into an empty data directory."),
    "size": Command("hmar.cli.size", "size", "Tell what an archive of a size needs."),
    "doctor": Command("hmar.cli.doctor", "doctor", "Check every part and say what to do."),
}


@functools.cache
def all_commands() -> Mapping[str, Command]:
    """Return every command by name: the library's own first, then those that are registered, by name."""
    registered: dict[str, Command] = {}
    for point in metadata.entry_points(group=ENTRY_POINTS):
        try:
            registered |= point.load()
        except (ImportError, AttributeError) as error:  # of a package that is half removed
            click.echo(
                f"The commands of {point.name} are left out ({type(error).__name__}): install it again.",
                err=True,
            )
    return OWN | {name: registered[name] for name in sorted(registered.keys() - OWN.keys())}
