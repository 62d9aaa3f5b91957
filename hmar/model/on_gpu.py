"""What takes time in encoding, on a GPU: the backbone, and the head that every window goes through.

The rest, 2 ms a frame, stays on the processor. Frames go one at a time: in a batch, sums would be taken in
another order, and a bit could depend on which frames came together. Several workers keep a GPU busy.

Torch runs here, and in nothing else that serves; it is loaded where a GPU is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hmar.errors import ConfigError, ModelError, UnavailableError
from hmar.image.windows import windows_of_shares
from hmar.model.config import PARTS
from hmar.model.hash_head import HashHead
from hmar.model.network import HmarNetwork
from hmar.model.weights import load_weights
from hmar.values.codes import CodeArray, pack_logits
from hmar.values.frames import FloatArray

if TYPE_CHECKING:
    from hmar.model.serving.model import ServedModel

CUDA = "cuda"
DIFFERING = 10_000
"""One bit in this many may differ from the processor's: a logit next to its threshold rounds either way."""
_PATCHES, _PATCH = 12, 28


class GpuBackbone:
    """A backbone in torch. Thread-safe.

    Parameters
    ----------
    network : HmarNetwork
        On the device.
    device : torch.device
    """

    def __init__(self, network: HmarNetwork, device: torch.device) -> None:
        self._network = network
        self._device = device

    def map(self, image: FloatArray) -> FloatArray:
        """Map an image (3, H, W) to features (C, H / 16, W / 16), as the runtime that serves does."""
        with _computing():
            features: Tensor = self._network(torch.from_numpy(image)[None].to(self._device))
            return _array(features[0])


class GpuHead:
    """The head of a window in torch. Thread-safe.

    Parameters
    ----------
    head : HashHead
        On the device.
    device : torch.device
    """

    def __init__(self, head: HashHead, device: torch.device) -> None:
        self._head = head
        self._device = device

    def __call__(self, pooled: FloatArray) -> FloatArray:
        """Map pooled parts (N, 9 * width), channels within parts, to logits (N, bits)."""
        with _computing():
            parts = torch.from_numpy(pooled).to(self._device).reshape(len(pooled), PARTS * PARTS, -1)
            return _array(self._head(parts.transpose(1, 2).flatten(1)))  # (N, width * 9)


def gpu_parts(folder: Path, device: str = CUDA) -> tuple[GpuBackbone, GpuHead]:
    """Load the backbone and the head of windows of a model's folder, unverified.

    Raises
    ------
    ConfigError
        If torch can use no GPU.
    ModelError
        If the folder cannot be read.
    """
    if device == CUDA and not torch.cuda.is_available():
        raise ConfigError(
            "HMAR_ENCODER_DEVICE is cuda, but the installed torch can use no GPU.",
            "Install NVIDIA's driver and torch for CUDA, or set it to cpu.",
        )
    _be_exact()
    there = torch.device(device)
    network = load_weights(folder).network.to(there)
    return GpuBackbone(network, there), GpuHead(network.local_expert.head, there)


def check_agreement(on_gpu: ServedModel, on_processor: ServedModel) -> None:
    """Raise ModelError where more than one bit in :data:`DIFFERING` of a made image differs."""
    shades = np.random.default_rng(0).random((3, _PATCHES, _PATCHES), np.float32)
    image = np.kron(shades, np.ones((1, _PATCH, _PATCH), np.float32))
    own, other = (_window_codes(model, image) for model in (on_gpu, on_processor))
    differing, bits = int(np.bitwise_count(own ^ other).sum()), own.size * 8
    if differing * DIFFERING > bits:
        raise ModelError(
            f"The GPU computes other codes than the processor: {differing} of {bits} bits differ.",
            "Install the torch of constraints.txt, or set HMAR_ENCODER_DEVICE to cpu.",
        )


def _window_codes(model: ServedModel, image: FloatArray) -> CodeArray:
    backbone_map = model.map(image)
    ids = windows_of_shares(np.ones(backbone_map.shape[:2], np.float32), model.info.windows)
    return pack_logits(model.window_logits(backbone_map, ids))


def _be_exact() -> None:
    """Have torch compute in single precision proper, by algorithms that give the same result each time."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True


@contextmanager
def _computing() -> Iterator[None]:
    """Compute without a graph, and translate torch's errors."""
    try:
        with torch.inference_mode():
            yield
    except RuntimeError as error:  # torch's own errors, of memory and of the device, among them
        raise UnavailableError(
            f"The GPU cannot encode ({type(error).__name__}).",
            "Look with nvidia-smi whether it works and has free memory, or set HMAR_ENCODER_DEVICE to cpu.",
        ) from error


def _array(tensor: Tensor) -> FloatArray:
    array: FloatArray = tensor.cpu().numpy()
    return array
