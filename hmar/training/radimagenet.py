"""Loading RadImageNet's published PyTorch weights into our backbones: by name and in full, or not at all.

The files are state dicts of torchvision networks without their last layer, wrapped as a numbered sequence
called ``backbone`` (Mei et al., Radiology: Artificial Intelligence 2022). Loaded non-strictly into a network
that names its tensors otherwise, they silently load nothing.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from hmar.errors import ModelError, first_of
from hmar.model.backbones.base import Backbone
from hmar.model.backbones.densenet import DenseNet121Backbone
from hmar.model.backbones.resnet import ResNet50Backbone

LEAST_MATCHED = 0.99
"""Share of a backbone's tensors that a file must hold in their shapes."""

_REMEDY = "Give RadImageNet's ResNet50.pt or DenseNet121.pt, or a state dict by torchvision's names."
_SHOWN = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Layout:
    """A backbone, how files may name its tensors, and which of those lie behind the cut.

    ``renames`` are patterns and replacements, applied in turn.
    """

    backbone: type[Backbone]
    renames: tuple[tuple[str, str], ...]
    behind_cut: tuple[str, ...] = ()


_WRAPPERS = ((r"^module\.", ""), (r"^backbone\.", ""))
_LAYOUTS = (
    _Layout(
        ResNet50Backbone,
        (
            *_WRAPPERS,
            (r"^0\.", "conv1."),
            (r"^1\.", "bn1."),
            *((rf"^{layer + 3}\.", f"layer{layer}.") for layer in range(1, 5)),
        ),
    ),
    _Layout(
        DenseNet121Backbone,
        (
            *_WRAPPERS,
            (r"^(0|features)\.", ""),
            (r"(denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2"),  # as torchvision had it before 0.3
        ),
        ("transition3.conv.",),
    ),
)


def load_radimagenet(path: Path) -> Backbone:
    """Return the backbone whose weights a file holds, frozen and in evaluation mode.

    Names are understood as RadImageNet publishes them (``backbone.4.0.conv1.weight``,
    ``backbone.0.denseblock1.denselayer1.norm1.weight``) and as torchvision has them
    (``layer1.0.conv1.weight``, ``features.denseblock1...``), with or without ``module.`` in front. What lies
    behind the backbone's cut, a classifier included, is not used.

    Parameters
    ----------
    path : Path
        A state dict as torch saves it, or one in safetensors (``.safetensors``). Nothing but tensors is
        unpickled.

    Raises
    ------
    ModelError
        If the file cannot be read, is of another network (a deeper one of the same family included), or holds
        fewer than 99 % of the backbone's tensors in their shapes, or not every convolution. The slack is for
        statistics of a batch norm, and a warning in the log names what is missing.
    """
    state = _read(path)
    match = max((_Match(layout, state) for layout in _LAYOUTS), key=lambda match: match.share)
    match.check(path, list(state))
    if match.missing:
        _log.warning("%s lacks %s; they keep their initial values.", path, ", ".join(match.missing))
    backbone = match.backbone()
    backbone.load_state_dict(backbone.state_dict() | match.found)
    return backbone.eval().requires_grad_(False)


class _Match:
    """How a file's tensors fit one layout's backbone.

    ``found`` are those that fit, ``missing`` the names of the backbone's that the file lacks or has in
    another shape, ``surplus`` those in the file that a backbone of this depth has no place for. The counters
    of batches seen are not weights and are left out.
    """

    def __init__(self, layout: _Layout, state: dict[str, Tensor]) -> None:
        self.backbone = layout.backbone
        with torch.device("meta"):  # names and shapes are enough
            backbone = layout.backbone()
        own = {name: tensor for name, tensor in backbone.state_dict().items() if not _is_counter(name)}
        given = {_renamed(name, layout.renames): tensor for name, tensor in state.items()}
        self.found = {
            n: given[n] for n, tensor in own.items() if n in given and given[n].shape == tensor.shape
        }
        self.missing = [name for name in own if name not in self.found]
        self.share = len(self.found) / len(own)
        modules = {name for name, _ in backbone.named_children()}
        self.surplus = [
            name
            for name in given
            if name not in own
            and name.split(".")[0] in modules
            and not name.startswith(layout.behind_cut)
            and not _is_counter(name)
        ]
        self._convolutions = {name for name, tensor in own.items() if tensor.dim() == 4}

    def check(self, path: Path, names: list[str]) -> None:
        """Raise ModelError for a file that lacks part of the backbone; ``names`` are those in the file."""
        total = len(self.found) + len(self.missing)
        if self.share < LEAST_MATCHED or self._convolutions.intersection(self.missing):
            raise ModelError(
                f"{path} holds {len(self.found)} of the {total} tensors of {self.backbone.name}; "
                f"the first that are missing or of another shape: {first_of(self.missing, _SHOWN)}; "
                f"the file begins with: {first_of(names, _SHOWN)}.",
                _REMEDY,
            )
        if self.surplus:
            raise ModelError(
                f"{path} is not of the backbone {self.backbone.name}: besides {len(self.found)} of its "
                f"tensors there are {len(self.surplus)} that it has no place for, "
                f"as {first_of(self.surplus, _SHOWN)}.",
                _REMEDY,
            )


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the unpickler raise nearly anything
        raise ModelError(f"{path} cannot be read as weights ({type(error).__name__}).", _REMEDY) from error
    entries = state.items() if isinstance(state, dict) else ()
    tensors = {str(name): tensor for name, tensor in entries if isinstance(tensor, Tensor)}
    if not tensors:
        raise ModelError(f"{path} holds a {type(state).__name__} without tensors by name.", _REMEDY)
    return tensors


def _renamed(name: str, renames: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in renames:
        name = re.sub(pattern, replacement, name)
    return name


def _is_counter(name: str) -> bool:
    return name.endswith("num_batches_tracked")
