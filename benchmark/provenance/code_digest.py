"""A hash of the code that computed a cached result, so that other code does not reuse it."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_OWN = ("benchmark", "hmar")
_LIBRARIES = (
    *("numpy", "scipy", "torch", "faiss-cpu", "pykan", "pillow", "pydicom"),
    *("pylibjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "python-gdcm"),
)


@functools.cache
def code_digest(*modules: str) -> str:
    """Return the sha256 of modules, of all of this project that they import, and of the libraries' versions.

    What a module imports is read off its source. The ``__init__`` of a package is not followed unless it is
    what a module imports from: a peer does not depend on the peers beside it.

    Parameters
    ----------
    modules : str
        Names such as "benchmark.accuracy.pixels".
    """
    digest = hashlib.sha256(repr([(name, _version(name)) for name in _LIBRARIES]).encode())
    for name, path in sorted(modules_below(*modules).items()):
        digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()


def modules_below(*modules: str) -> dict[str, Path]:
    """Return the files of modules and of all of this project that they import, by name."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _path(name)
        if name in found or path is None:
            continue
        found[name] = path
        waiting += _imports(path)
    return found


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in inner if _path(name)]
            yield from modules
            if len(modules) < len(inner):
                yield node.module


def _path(module: str) -> Path | None:
    """Return the file of a module of this project; None for what is none."""
    if module.split(".")[0] not in _OWN:
        return None
    place = _ROOT.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
