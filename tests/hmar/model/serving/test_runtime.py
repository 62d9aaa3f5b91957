from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hmar.encoder import shipped_bundle
from hmar.errors import ModelError
from hmar.model.backbones.base import Backbone, fold_batch_norm
from hmar.model.backbones.densenet import dense_block, transition
from hmar.model.backbones.efficientnet_lite0 import InvertedResidual, _BlockSpec
from hmar.model.backbones.resnet import resnet_layer
from hmar.model.serving.runtime import BackboneRuntime

pytest.importorskip("onnxscript", reason="the extra 'train' is not installed")

from hmar.training.export.onnx_graph import export_backbone

pytestmark = pytest.mark.slow


class SmallBackbone(Backbone):
    """A few layers of each kind that the real backbones are made of, at stride 16."""

    name = "small"
    channels = 64

    def __init__(self) -> None:
        super().__init__()
        self.lite = nn.Sequential(
            InvertedResidual(3, _BlockSpec(3, 2, 2, 16)),
            InvertedResidual(16, _BlockSpec(5, 1, 2, 16)),
            InvertedResidual(16, _BlockSpec(3, 2, 2, 32, lead=True, smooth=True)),
        )
        self.dense = nn.Sequential(dense_block(32, 2), transition(96))
        self.res = resnet_layer(48, 16, 2, 2, trail=True)

    def normalise(self, x: Tensor) -> Tensor:
        return x * 2 - 1

    def stem(self, x: Tensor) -> Tensor:
        features: Tensor = self.res(self.dense(self.lite(x)))
        return features


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    torch.manual_seed(0)
    backbone = SmallBackbone().eval()
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    path = tmp_path_factory.mktemp("backbone") / "trunk.onnx"
    folded = fold_batch_norm(backbone)
    export_backbone(path, folded)
    return folded, BackboneRuntime(path)


@pytest.mark.parametrize("size", [(16, 16), (48, 48), (96, 64), (64, 240), (512, 480)])
def test_an_exported_backbone_gives_the_networks_map_at_any_size(small, size):
    backbone, runtime = small
    image = torch.rand(3, *size, generator=torch.Generator().manual_seed(1))
    expected = backbone(image[None])[0].numpy()
    found = runtime.map(image.numpy())
    assert found.shape == (64, size[0] // 16, size[1] // 16)
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-5 * float(np.abs(expected).max()))


def test_threads_share_a_runtime_without_mixing_their_images(small):
    _, runtime = small
    images = [np.full((3, 64, 64), level, np.float32) for level in np.linspace(0, 1, 12)]
    alone = [runtime.map(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(runtime.map, images * 4))
    assert all(np.array_equal(one, alone[i % 12]) for i, one in enumerate(together))


@pytest.mark.parametrize("content", [b"", b"no graph"])
def test_a_file_that_is_no_graph_is_refused_with_the_remedy(tmp_path, content, capfd):
    path = tmp_path / "trunk.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"trunk\.onnx cannot be read.*hmar export-model"):
        BackboneRuntime(path)
    assert capfd.readouterr() == ("", "")


def test_an_exported_backbone_says_nothing_of_the_machine_it_was_made_on(small, tmp_path):
    export_backbone(tmp_path / "trunk.onnx", small[0])
    for graph in (tmp_path / "trunk.onnx", shipped_bundle() / "trunk.onnx"):
        assert b".py" not in graph.read_bytes()
