"""What a GPU computes of encoding; by torch on the processor where there is none: only the device differs."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hmar.config import Settings
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ConfigError, ModelError, UnavailableError
from hmar.model.on_gpu import GpuBackbone, check_agreement
from hmar.model.serving.model import ServedModel, load_served, moved
from hmar.model.weights import load_bundle
from hmar.training.export.golden import golden_frame
from hmar.training.export.parity import compare, served_logits
from hmar.values.frames import Frame
from hmar.values.geometry import Box
from hmar.wiring import load_encoder
from tests.frames import textured_frame

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture(scope="module")
def served() -> ServedModel:
    return load_served(shipped_bundle())


@pytest.fixture(scope="module")
def there(served: ServedModel) -> ServedModel:
    return moved(shipped_bundle(), served, DEVICE)


@pytest.mark.slow
@pytest.mark.parametrize("frame", [golden_frame(), textured_frame(3)], ids=["golden", "textured"])
def test_bits_are_the_processors_unless_their_logit_is_next_to_the_threshold(
    served: ServedModel, there: ServedModel, frame: Frame
) -> None:
    bundle = load_bundle(shipped_bundle())
    parity = compare(served_logits(served, bundle, frame), served_logits(there, bundle, frame))
    assert parity.decided == 0
    assert 0 < parity.departure < 1e-3, "two runtimes that agree in every digit are one"


@pytest.mark.slow
def test_a_frame_has_the_same_codes_each_time_and_queries_go_the_same_way(
    served: ServedModel, there: ServedModel
) -> None:
    frame, encoder = textured_frame(1), HmarEncoder(there)
    once, again = encoder.encode(frame), encoder.encode(frame)
    assert (once.window_codes == again.window_codes).all()
    asked = [HmarEncoder(model).region_query(frame, Box(60, 60, 50, 50)) for model in (served, there)]
    assert np.bitwise_count(asked[0].window_codes ^ asked[1].window_codes).sum() <= 1


@pytest.mark.slow
def test_a_device_that_computes_other_codes_is_refused(served: ServedModel, there: ServedModel) -> None:
    check_agreement(there, served)

    def blurred(image: np.ndarray) -> np.ndarray:
        return served.map(image).transpose(2, 0, 1) * np.float32(1.01)

    class Other:
        map = staticmethod(blurred)

    tensors = {f"{part}.{name}": tensor for part, name, tensor in _tensors()}
    with pytest.raises(ModelError, match=r"other codes than the processor: \d+ of \d+ bits"):
        check_agreement(ServedModel(served.info, Other(), tensors), served)


def _tensors() -> list[tuple[str, str, np.ndarray]]:
    network = load_bundle(shipped_bundle()).network
    return [
        (part, name, tensor.numpy())
        for part in ("global_expert", "local_expert", "router")
        for name, tensor in getattr(network, part).state_dict().items()
    ]


def test_an_error_of_the_device_says_what_to_do() -> None:
    class Broken(nn.Module):
        def forward(self, _image: Tensor) -> Tensor:
            raise torch.cuda.OutOfMemoryError("no memory")

    backbone = GpuBackbone(Broken(), torch.device("cpu"))
    with pytest.raises(UnavailableError, match="nvidia-smi") as raised:
        backbone.map(np.zeros((3, 16, 16), np.float32))
    assert "OutOfMemoryError" in raised.value.detail


@pytest.mark.skipif(DEVICE == "cuda", reason="there is a GPU here")
@pytest.mark.slow
def test_without_a_gpu_the_encoder_is_not_loaded() -> None:
    with pytest.raises(ConfigError, match="torch can use no GPU"):
        load_encoder(Settings(encoder_device="cuda"))


@pytest.mark.slow
def test_without_torch_the_encoder_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hmar.model.on_gpu", None)
    with pytest.raises(ConfigError, match=r"not installed.*hmar-search\[gpu\]"):
        load_encoder(Settings(encoder_device="cuda"))


@pytest.mark.skipif(DEVICE == "cpu", reason="needs an NVIDIA GPU and torch for CUDA")
@pytest.mark.slow
def test_the_setting_moves_the_encoder_to_the_gpu() -> None:
    encoder = load_encoder(Settings(encoder_device="cuda"))
    assert encoder.encode(golden_frame()).window_codes.any()


@pytest.mark.parametrize("name", ["encoder_device", "scan_device"])
def test_a_device_that_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="Give cpu or cuda"):
        Settings(**{name: "tpu"}).checked()
