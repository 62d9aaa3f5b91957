"""Kernels as they are compiled where a processor lacks what this one may have, against numpy's."""

from __future__ import annotations

import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hmar.index import kernels
from hmar.index.scan import Scanner
from hmar.index.weighted import QueryCodes, WeightedCodes
from hmar.index.windows import Segment, Windows
from hmar.values.codes import WEIGHTS_OF_HALF

pytestmark = pytest.mark.slow


@pytest.fixture(
    scope="module", params=[["avx512bitalg"], ["avx512bitalg", "avx2"]], ids=["looks up", "plain counts"]
)
def older(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Compile a copy of the kernels: what is compiled of the module itself is kept for this processor."""
    copy = tmp_path_factory.mktemp("kernels") / "older_kernels.py"
    shutil.copy(str(kernels.__file__), copy)
    spec = spec_from_file_location("older_kernels", Path(copy))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    features = dict(kernels.get_host_cpu_features()) | dict.fromkeys(request.param, False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "older_kernels", module)  # where dataclasses look a class's module up
        patch.setattr("llvmlite.binding.get_host_cpu_features", lambda: features)
        spec.loader.exec_module(module)
    return module


def test_older_processors_give_the_same_answers(older: ModuleType) -> None:
    rng = np.random.default_rng(0)
    counts = np.concatenate([[0, 1, 31, 32, 33, 63, 64, 65], rng.integers(0, 200, 60)])
    codes = rng.integers(0, 256, (int(counts.sum()), 16), np.uint8)
    windows = Windows((Segment.of(codes, np.arange(len(codes), dtype=np.uint32), counts),))
    own, numpys = Scanner(2), Scanner(compiled=False)
    own._kernels = older
    assert not older.COUNTS
    for number in (1, 2, 4, 9, 13):
        plain = rng.integers(0, 256, (number, 16), np.uint8)
        weights = rng.multinomial(WEIGHTS_OF_HALF, np.full(64, 1 / 64), (number, 2)).reshape(number, 128)
        asked: list[QueryCodes] = [plain, WeightedCodes(plain, weights.astype(np.uint8))]
        for queries in asked:
            for bits in (64, 128):
                for found, expected in zip(
                    (*own.nearest(windows, queries, 5, bits), *own.sums(windows, queries, bits)),
                    (*numpys.nearest(windows, queries, 5, bits), *numpys.sums(windows, queries, bits)),
                    strict=True,
                ):
                    np.testing.assert_array_equal(found, expected)
    own.close()
