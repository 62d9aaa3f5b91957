"""Random state dicts by the published names, and the published networks in plain functions: the oracles."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

State = dict[str, Tensor]


def _convolution(state: State, name: str, outputs: int, inputs: int, kernel: int) -> None:
    fan_in = inputs * kernel * kernel
    state[f"{name}.weight"] = torch.randn(outputs, inputs, kernel, kernel) * (2 / fan_in) ** 0.5


def _norm(state: State, name: str, channels: int) -> None:
    state[f"{name}.weight"] = torch.rand(channels) * 0.4 + 0.4
    state[f"{name}.bias"] = torch.randn(channels) * 0.1
    state[f"{name}.running_mean"] = torch.randn(channels) * 0.1
    state[f"{name}.running_var"] = torch.rand(channels) + 0.5
    state[f"{name}.num_batches_tracked"] = torch.tensor(7)


def resnet_state(blocks: tuple[int, ...] = (3, 4, 6, 3)) -> State:
    """ResNet-50 without its classifier by torchvision's names; (3, 4, 23, 3) is ResNet-101."""
    torch.manual_seed(1)
    state: State = {}
    _convolution(state, "conv1", 64, 3, 7)
    _norm(state, "bn1", 64)
    inputs = 64
    for layer, count in enumerate(blocks, start=1):
        width = 32 * 2**layer
        for block in range(count):
            name = f"layer{layer}.{block}"
            for number, (outputs, fan, kernel) in enumerate(
                ((width, inputs, 1), (width, width, 3), (4 * width, width, 1)), start=1
            ):
                _convolution(state, f"{name}.conv{number}", outputs, fan, kernel)
                _norm(state, f"{name}.bn{number}", outputs)
            if block == 0:
                _convolution(state, f"{name}.downsample.0", 4 * width, inputs, 1)
                _norm(state, f"{name}.downsample.1", 4 * width)
            inputs = 4 * width
    return state


def densenet_state(blocks: tuple[int, ...] = (6, 12, 24, 16)) -> State:
    """DenseNet-121 without its classifier by torchvision's names; (6, 12, 32, 32) is DenseNet-169."""
    torch.manual_seed(2)
    state: State = {}
    _convolution(state, "features.conv0", 64, 3, 7)
    _norm(state, "features.norm0", 64)
    channels = 64
    for block, count in enumerate(blocks, start=1):
        for layer in range(1, count + 1):
            name = f"features.denseblock{block}.denselayer{layer}"
            _norm(state, f"{name}.norm1", channels)
            _convolution(state, f"{name}.conv1", 128, channels, 1)
            _norm(state, f"{name}.norm2", 128)
            _convolution(state, f"{name}.conv2", 32, 128, 3)
            channels += 32
        if block < len(blocks):
            _norm(state, f"features.transition{block}.norm", channels)
            channels //= 2
            _convolution(state, f"features.transition{block}.conv", channels, 2 * channels, 1)
    _norm(state, "features.norm5", channels)
    return state


def _normed(state: State, name: str, x: Tensor) -> Tensor:
    mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    return F.batch_norm(x, mean, variance, state[f"{name}.weight"], state[f"{name}.bias"])


def _bottleneck(state: State, name: str, x: Tensor, stride: int) -> Tensor:
    y = F.relu(_normed(state, f"{name}.bn1", F.conv2d(x, state[f"{name}.conv1.weight"])))
    y = F.conv2d(y, state[f"{name}.conv2.weight"], stride=stride, padding=1)
    y = F.relu(_normed(state, f"{name}.bn2", y))
    y = _normed(state, f"{name}.bn3", F.conv2d(y, state[f"{name}.conv3.weight"]))
    if f"{name}.downsample.0.weight" in state:
        x = F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride)
        x = _normed(state, f"{name}.downsample.1", x)
    return F.relu(x + y)


def resnet_layer2(state: State, x: Tensor) -> Tensor:
    """Images in -1..1 (B, 3, H, W) -> the published network's map at stride 8, (B, 512, H / 8, W / 8)."""
    x = F.relu(_normed(state, "bn1", F.conv2d(x, state["conv1.weight"], stride=2, padding=3)))
    x = F.max_pool2d(x, 3, 2, 1)
    for layer, count in ((1, 3), (2, 4)):
        for block in range(count):
            x = _bottleneck(state, f"layer{layer}.{block}", x, 2 if layer == 2 and block == 0 else 1)
    return x


def resnet_layer3(state: State, x: Tensor) -> Tensor:
    """The map at stride 8 -> the published network's map at stride 16, (B, 1024, H / 16, W / 16)."""
    for block in range(6):
        x = _bottleneck(state, f"layer3.{block}", x, 2 if block == 0 else 1)
    return x


def densenet_features(state: State, x: Tensor) -> Tensor:
    """Images in -1..1 (B, 3, H, W) -> denseblock3, normed as transition3 does, (B, 1024, H / 16, W / 16)."""
    x = F.conv2d(x, state["features.conv0.weight"], stride=2, padding=3)
    x = F.max_pool2d(F.relu(_normed(state, "features.norm0", x)), 3, 2, 1)
    for block, count in ((1, 6), (2, 12), (3, 24)):
        for layer in range(1, count + 1):
            name = f"features.denseblock{block}.denselayer{layer}"
            y = F.conv2d(F.relu(_normed(state, f"{name}.norm1", x)), state[f"{name}.conv1.weight"])
            y = F.relu(_normed(state, f"{name}.norm2", y))
            x = torch.cat([x, F.conv2d(y, state[f"{name}.conv2.weight"], padding=1)], dim=1)
        x = F.relu(_normed(state, f"features.transition{block}.norm", x))
        if block < 3:
            x = F.avg_pool2d(F.conv2d(x, state[f"features.transition{block}.conv.weight"]), 2)
    return x
