import numpy as np
import pytest
import torch

from hmar.image.windows import WindowConfig, cover, lattice
from hmar.model.config import NetworkConfig
from hmar.model.experts import pool
from hmar.model.router import Router
from hmar.model.serving.heads import ServedExpert, ServedRouter
from hmar.model.serving.pooling import pool_frame, pool_lattice, pool_windows
from hmar.values.window_ids import pack_window_id
from tests.models import random_network

MAP = np.random.default_rng(0).standard_normal((11, 14, 112)).astype(np.float32)


def channels_first(feature_map: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(feature_map.transpose(2, 0, 1)))


def tensors(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in module.state_dict().items()}


@pytest.fixture(scope="module")
def network():
    return random_network(NetworkConfig(width=20, hidden=48, intervals=4))


def test_windows_are_pooled_as_in_torch_with_parts_before_channels():
    rows, columns = np.array([-1.5, 0.0, 4.3]), np.array([2.0, 9.7])
    weights = (cover(rows, 5, 3, 11), cover(columns, 5, 3, 14))
    expected = pool(channels_first(MAP), *map(torch.from_numpy, weights)).numpy()  # (3, 2, C * 9)
    pooled = pool_windows(MAP, *weights).transpose(0, 2, 4, 1, 3)  # (R, S, C, parts, parts)
    assert np.allclose(pooled.reshape(3, 2, -1), expected, atol=1e-5)


def test_windows_of_the_lattices_come_in_the_order_of_their_ids():
    config = WindowConfig((3, 5), (1, 2), 0.3)
    places = [(0, 2, 7), (0, 8, 11), (1, 0, 4), (1, 6, 9)]  # the last row and column break the stride
    ids = np.array([pack_window_id(*place) for place in places], np.uint32)
    assert 6 in lattice(11, 5, 2)
    assert 9 in lattice(14, 5, 2)
    for found, (size, row, column) in zip(pool_lattice(MAP, ids, config), places, strict=True):
        side = config.cells[size]
        crop = MAP[row : row + side, column : column + side]
        whole = cover(np.array([0]), side, 3, side)
        expected = pool_windows(crop, whole, whole)
        assert found == pytest.approx(expected.reshape(-1), abs=1e-5)


@pytest.mark.parametrize("shape", [(3, 3), (11, 14), (30, 31), (4, 32)])
def test_a_frame_is_pooled_as_by_adaptive_average_pooling(shape):
    feature_map = np.random.default_rng(1).standard_normal((*shape, 6)).astype(np.float32)
    expected = torch.nn.functional.adaptive_avg_pool2d(channels_first(feature_map), 3)  # (C, 3, 3)
    assert np.allclose(pool_frame(feature_map), expected.flatten(1).T.numpy(), atol=1e-5)


def test_an_expert_gives_the_networks_logits(network):
    served = ServedExpert(tensors(network.local_expert))
    projected = network.local_expert.map(channels_first(MAP)[None])[0]
    assert np.allclose(served.project(MAP), projected.permute(1, 2, 0).numpy(), atol=1e-5)
    windows = torch.randn(30, 20, 9)  # channels, parts
    expected = network.local_expert(windows.flatten(1)).numpy()
    found = served.logits(windows.transpose(1, 2).flatten(1).numpy())
    assert np.abs(found - expected).max() < 1e-4


@pytest.mark.parametrize("modality", [None, 0, 4])
@pytest.mark.parametrize("region", [None, 0, 5])
def test_a_router_gives_the_networks_gate(modality, region):
    torch.manual_seed(1)
    router = Router(112).eval().requires_grad_(False)
    tags = [torch.tensor([-1 if index is None else index]) for index in (modality, region)]
    expected = router(channels_first(MAP)[None], *tags).gate[0].tolist()
    gate = ServedRouter(tensors(router)).gate(MAP.mean(axis=(0, 1)), modality, region)
    assert gate == pytest.approx(expected, abs=1e-5)
    assert sum(gate) == pytest.approx(1)
