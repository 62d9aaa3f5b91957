"""The models that an archive can use: those installed in its data directory, the shipped ones, the baseline.

::

    HMAR_HOME/models/<fingerprint>/     a model's folder, see hmar.model.bundle
                    /lock               held while one is installed or removed

A model is found by its fingerprint, which is compared with what its folder holds. Nothing but a command of
the operator's puts a folder there.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hmar.disk import writing
from hmar.errors import ConfigError, ModelError, NotFoundError, shown
from hmar.files import sync_folder
from hmar.locks import locked
from hmar.model.bundle import CARD, CONFIG, read_info, sealed_files, verify
from hmar.model.serving.maps import KeptMaps
from hmar.ports import FrameEncoder
from hmar.values.models import ModelName

THUMBNAIL = "thumbnail"
"""Name of the baseline without learning, which has no folder."""
_BASELINE_CARD = f"""\
# {THUMBNAIL}

The baseline without learning: images are compared as small pictures of themselves. It finds the same image
again, and tells how much a model adds. It is not for reading.
"""
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_DRAFT = ".unfinished-"


class KnownModels:
    """The models of an archive, by their fingerprints.

    Parameters
    ----------
    root : Path or None
        Folder of the installed ones; None where the archive has no data directory.
    chosen : Path or None
        Folder of the model that the settings name, where they name one.
    """

    def __init__(self, root: Path | None, chosen: Path | None = None) -> None:
        self._root = root
        self._chosen = chosen

    def listed(self) -> list[ModelName]:
        """Return all models in order of name; one whose folder cannot be read is left out."""
        from hmar.thumbnail import ThumbnailEncoder

        found = {name for folder in self._folders() if (name := _name(folder)) is not None}
        baseline = ThumbnailEncoder()
        return sorted(found | {ModelName(baseline.fingerprint, baseline.name)}, key=lambda one: one[::-1])

    def named(self, text: str, among: Iterable[ModelName] | None = None) -> ModelName:
        """Return the model of a fingerprint, of its beginning, or of a name that one model alone has.

        Parameters
        ----------
        text : str
        among : iterable of ModelName, optional
            Where to look; :meth:`listed` by default.

        Raises
        ------
        NotFoundError
            If there is none, or more than one.
        """
        known = self.listed() if among is None else among
        fitting = [one for one in known if text and (one.fingerprint.startswith(text) or one.name == text)]
        if len(fitting) != 1:
            raise NotFoundError(
                f"{'Several models are' if fitting else 'No model here is'} called {shown(text)}.",
                "Give a fingerprint that 'hmar models list' shows. A folder is installed with 'hmar models "
                "install DIR'.",
            )
        return fitting[0]

    def folder(self, model_fingerprint: str) -> Path | None:
        """Return the folder of a model; None for the baseline, which has none.

        Raises
        ------
        ModelError
            If the model is not here.
        """
        from hmar.thumbnail import ThumbnailEncoder

        for folder in self._folders(model_fingerprint):
            name = _name(folder)
            if name is not None and name.fingerprint == model_fingerprint:
                return folder
        if model_fingerprint == ThumbnailEncoder().fingerprint:
            return None
        raise ModelError(
            f"The archive needs the model {model_fingerprint}, which is not installed.",
            "Install it: hmar models install DIR",
        )

    def card(self, model_fingerprint: str) -> str:
        """Return what a model's card says, in Markdown: data, protocol, figures, limits, intended use.

        Raises
        ------
        NotFoundError
            If the model is not here, or has no card.
        """
        try:
            folder = self.folder(model_fingerprint)
        except ModelError as error:
            raise NotFoundError(
                f"The model {shown(model_fingerprint)} is not here.",
                "Name one that GET /api/v1/models lists.",
            ) from error
        if folder is None:
            return _BASELINE_CARD
        if not (folder / CARD).is_file():
            raise NotFoundError("The model has no card.", f"Its folder may hold a {CARD}.")
        return (folder / CARD).read_text("utf-8", errors="replace")

    def encoder(
        self, model_fingerprint: str, threads: int, maps: KeptMaps | None = None, device: str = "cpu"
    ) -> FrameEncoder:
        """Load a model; raises ModelError if it is not here, or was altered."""
        folder = self.folder(model_fingerprint)
        if folder is None:
            from hmar.thumbnail import ThumbnailEncoder

            return ThumbnailEncoder()
        from hmar.encoder import HmarEncoder

        return HmarEncoder.load(folder, threads, maps, device)

    def install(self, folder: Path) -> ModelName:
        """Copy a model into the data directory, unless it is there or shipped, and whole; return which it is.

        Raises
        ------
        ModelError
            If the folder is no model, or was altered.
        ConfigError
            If the archive has no data directory.
        """
        verify(folder)
        info = read_info(folder)
        model = ModelName(info.fingerprint, info.name)
        if self._is_kept(model):
            return model
        with self._held() as root:
            draft = root / f"{_DRAFT}{secrets.token_hex(8)}"
            with writing(f"The model {info.name}"):
                draft.mkdir(mode=0o700)
                for name in sealed_files(folder):
                    shutil.copyfile(folder / name, draft / name)
            verify(draft)
            with writing(f"The model {info.name}"):
                if (root / model.fingerprint).exists():  # damaged, or another model under this name
                    _discard(root / model.fingerprint)
                draft.rename(root / model.fingerprint)
                sync_folder(root)
        return model

    def _is_kept(self, model: ModelName) -> bool:
        """Return whether a model is installed or shipped, and whole; the settings may name another soon."""
        for folder in KnownModels(self._root)._folders(model.fingerprint):
            if _name(folder) == model:
                with suppress(ModelError):
                    verify(folder)
                    return True
        return False

    def remove(self, model_fingerprint: str) -> bool:
        """Remove an installed model's folder; return whether there was one."""
        if self._root is None or not (self._root / _checked(model_fingerprint)).is_dir():
            return False
        with self._held() as root, writing("The models"):
            _discard(root / model_fingerprint)
        return True

    @contextmanager
    def _held(self) -> Iterator[Path]:
        """Keep others from installing and removing; what a killed process has left is swept."""
        if self._root is None:
            raise ConfigError(
                "An archive in memory installs no models.", "Name a data directory (HMAR_HOME)."
            )
        with writing("The models"):
            self._root.mkdir(mode=0o700, exist_ok=True)
        with locked(self._root / "lock", exclusive=True, wait=True):
            for left in self._root.glob(f"{_DRAFT}*"):
                shutil.rmtree(left, ignore_errors=True)
            yield self._root

    def _folders(self, model_fingerprint: str | None = None) -> Iterator[Path]:
        """Yield folders that may hold a model: all, or those that may hold this one."""
        if self._root is not None and self._root.is_dir():
            if model_fingerprint is None:
                yield from (path for path in self._root.iterdir() if _FINGERPRINT.fullmatch(path.name))
            elif _FINGERPRINT.fullmatch(model_fingerprint):
                yield self._root / model_fingerprint
        if self._chosen is not None:
            yield self._chosen
        from hmar.encoder import shipped_models

        yield from shipped_models().values()


def _name(folder: Path) -> ModelName | None:
    if not (folder / CONFIG).is_file():
        return None
    try:
        info = read_info(folder)
    except ModelError:
        return None
    return ModelName(info.fingerprint, info.name)


def _discard(folder: Path) -> None:
    """Remove an installed model's folder, which is there as a whole or not at all."""
    gone = folder.with_name(f"{_DRAFT}{secrets.token_hex(8)}")
    folder.rename(gone)
    shutil.rmtree(gone)


def _checked(model_fingerprint: str) -> str:
    """Return a fingerprint that may name a folder; raises NotFoundError for anything else."""
    if not _FINGERPRINT.fullmatch(model_fingerprint):
        raise NotFoundError(
            f"{shown(model_fingerprint)} is no fingerprint.", "Give 32 digits and letters from a to f."
        )
    return model_fingerprint
