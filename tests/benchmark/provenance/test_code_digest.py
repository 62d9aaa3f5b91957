"""What a kept result depends on: the modules it came through, and no others."""

from __future__ import annotations

import sys

import pytest

from benchmark.provenance.code_digest import code_digest, modules_below

FEATURES = (
    "benchmark.datasets.read",
    "benchmark.accuracy.pixels",
    "benchmark.accuracy.lite0",
    "benchmark.datasets.duplicates",
)


def test_features_depend_on_how_files_are_decoded_and_laid_on_the_grid():
    found = modules_below(*FEATURES)
    expected = {
        "hmar.decoding.in_process",
        "hmar.dicom.pixels",
        "hmar.image.grid",
        "hmar.image.raster",
        "hmar.model.backbones.efficientnet_lite0",
    }
    assert expected | set(FEATURES) <= found.keys()
    assert not {
        name for name in found if name.startswith(("benchmark.peers", "benchmark.report", "hmar.index"))
    }


def test_a_peer_depends_on_what_it_is_made_of_and_on_no_other_peer():
    hmar, itq = modules_below("benchmark.peers.hmar"), modules_below("benchmark.peers.unsupervised.itq")
    assert {"hmar.model.kan", "hmar.training.labels.work", "hmar.training.loop"} <= hmar.keys()
    assert "benchmark.peers.learned.acir" not in hmar
    assert not {"benchmark.peers.learned.training", "benchmark.peers.hmar"} & itq.keys()


@pytest.mark.slow
def test_pages_pictures_and_the_quick_data_are_no_part_of_a_trial():
    found = modules_below("benchmark.accuracy.trial", "benchmark.peers.hmar")
    assert {
        "benchmark.metrics.ties",
        "benchmark.metrics.curves",
        "benchmark.accuracy.protocols",
    } <= found.keys()
    assert (
        not {
            "benchmark.accuracy.montages",
            "benchmark.accuracy.quick",
            "benchmark.provenance.results",
            "benchmark.report.html",
        }
        & found.keys()
    )


@pytest.mark.slow
def test_every_module_of_this_project_that_is_loaded_below_one_is_found():
    import benchmark.accuracy.lite0

    found = modules_below("benchmark.accuracy.lite0")
    named = vars(benchmark.accuracy.lite0).values()
    used = {module for value in named if (module := getattr(value, "__module__", None)) in sys.modules}
    assert {module for module in used if module.startswith(("benchmark.", "hmar."))} <= found.keys()


def test_other_modules_have_another_digest():
    digests = {
        code_digest(name)
        for name in ("benchmark.metrics.ties", "benchmark.metrics.curves", "benchmark.peers.unsupervised.itq")
    }
    assert len(digests) == 3


@pytest.mark.parametrize("module", ["numpy", "benchmark.no_such_module"])
def test_what_is_no_module_of_this_project_is_left_out(module):
    assert modules_below(module) == {}
