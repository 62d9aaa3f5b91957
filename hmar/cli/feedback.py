"""``hmar feedback``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from hmar.cli.settings import settings_from_environment
from hmar.disk import writing
from hmar.errors import NotFoundError, shown
from hmar.feedback_export import all_judgements, labels, qrels, table, topics
from hmar.files import new_file
from hmar.properties.kinds.labels import label_value
from hmar.values.feedback import KeptJudgement, Verdict
from hmar.wiring import build_engine

_FILE = click.Path(path_type=Path, allow_dash=True)


@click.group()
def feedback() -> None:
    """Export what people have said of hits.

    \b
    Examples:
      hmar feedback export --topics topics.jsonl qrels.txt
      hmar feedback export --format csv judgements.csv
      hmar feedback labels --topic 3f0c5a9be2d41877 --relevant "proven nodule" labels.csv
    """


def _judgements() -> list[KeptJudgement]:
    return list(all_judgements(build_engine(settings_from_environment()).feedback))


@feedback.command()
@click.option(
    "--format",
    "kind",
    type=click.Choice(["trec", "csv"]),
    default="trec",
    help="TREC qrels, or a table of all judgements. Default: trec.",
)
@click.option(
    "--topics",
    "topics_file",
    type=click.Path(path_type=Path),
    help="Write the queries to this file, a JSON object a line, by the topics of the qrels.",
)
@click.argument("file", type=_FILE)
def export(kind: str, topics_file: Path | None, file: Path) -> None:
    """Write judgements to FILE, which only you can read; to standard output if it is -.

    A line of qrels has a topic, 0, a document (UID/frame number) and a grade (1 relevant, 0 not). Where
    people differ, most of them count, and a tie is relevant. `hmar bench qrels` evaluates with them;
    trec_eval breaks ties of distances by the names of documents, so that its figures mean little then.

    \b
    Examples:
      hmar feedback export --topics topics.jsonl qrels.txt
      hmar feedback export --format csv -
    """
    judgements = _judgements()
    _write(file, qrels(judgements) if kind == "trec" else table(judgements))
    if topics_file is not None:
        _write(topics_file, topics(judgements))


@feedback.command("labels")
@click.option("--topic", metavar="TOPIC", help="Only judgements of this query, by its name in exports.")
@click.option("--relevant", required=True, metavar="TEXT", help="Label of what is relevant.")
@click.option("--not-relevant", metavar="TEXT", help="Label of what is not; without it, that has none.")
@click.argument("file", type=_FILE)
def labels_command(topic: str | None, relevant: str, not_relevant: str | None, file: Path) -> None:
    """Write a table of labels to FILE, as PATCH /api/v1/labels and `hmar index --labels` read it.

    Instances that would get two labels are left out, and counted.

    \b
    Example:
      hmar feedback labels --topic 3f0c5a9be2d41877 --relevant "proven nodule" labels.csv
    """
    judgements = [one for one in _judgements() if topic in (None, one.judgement.query.topic)]
    if not judgements:
        raise NotFoundError(
            f"There are no judgements{'' if topic is None else f' of topic {shown(topic)}'}.",
            "See 'hmar feedback export --format csv -' for what there is.",
        )
    names: dict[Verdict, str] = {"relevant": label_value(relevant)}
    if not_relevant is not None:
        names["not_relevant"] = label_value(not_relevant)
    lines, left_out = labels(judgements, names)
    _write(file, lines)
    click.echo(f"{len(lines) - 1} labels; {left_out} instances with two are left out.", err=True)


def _write(file: Path, lines: Iterable[str]) -> None:
    if str(file) == "-":
        for line in lines:
            click.echo(line, nl=False)
        return
    with writing("The file"), new_file(file, mode=0o600) as opened:
        for line in lines:
            opened.write(line.encode())
