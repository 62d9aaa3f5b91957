"""Labels of the query carried to other people: who is learnt from, and what is refused beforehand."""

from dataclasses import replace

import numpy as np
import pytest

from benchmark.region import networks, run
from benchmark.region.ablations.variant import CARRIED, OURS
from benchmark.region.describing import Cost
from benchmark.region.networks import trained_network
from benchmark.region.others import check_carrying, without_labels
from benchmark.region.protocol import known_of
from benchmark.region.run import run_region
from hmar.errors import ParameterError
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone
from hmar.model.config import NetworkConfig
from hmar.training.carrying.carry import Carrying
from hmar.training.data.volumes import Volume
from tests.benchmark.region.ct_volumes import quiet, scan_of, volume, whole_root


def other(name: str, seed: int, slices: int = 3) -> Volume:
    """Return a scan of somebody else without labels."""
    drawn = volume(name, seed, slices)
    return Volume(name, drawn.values, drawn.spacing_mm, "CT", np.full(len(drawn.values), -1, np.int64))


@pytest.fixture
def given(monkeypatch):
    """What training is given, in place of training; labels are carried as they are."""
    calls = []

    def carry_labels(volumes, structures, _maps, _progress):
        first, *others = volumes
        assert structures == ("liver", "spleen")
        labelled = [replace(each, labels=first.labels, carried=True) for each in others]
        return Carrying([first, *labelled], len(others), len(others), (first.name,), 0, 1.0)

    def train_network(volumes, _backbone, _plan, _progress, *, build):
        calls.append(volumes)
        return build(NetworkConfig()).eval()

    monkeypatch.setattr(networks, "carry_labels", carry_labels)
    monkeypatch.setattr(networks, "train_network", train_network)
    return calls


@pytest.mark.slow
def test_the_query_is_learnt_from_and_the_people_that_its_labels_were_carried_to(given, tmp_path):
    backbone, asked = Lite0Backbone().eval(), volume("a", 0)
    people = (other("b", 1), other("c", 2))
    for variant in (CARRIED, OURS):
        trained_network(asked, backbone, tmp_path, quiet, variant=variant, others=people)
    carried, ours = given
    assert [each.name for each in carried] == ["a", "b", "c"]
    assert [each.carried for each in carried] == [False, True, True]
    assert all(each.labels is not None for each in carried)
    assert [each.name for each in ours] == ["a"]


@pytest.mark.slow
def test_a_network_is_kept_by_the_people_that_it_learnt_from(given, tmp_path):
    backbone, asked = Lite0Backbone().eval(), volume("a", 0)
    for people in ([other("b", 1)], [other("b", 1)], [other("b", 2)]):
        trained_network(asked, backbone, tmp_path, quiet, variant=CARRIED, others=people)
    assert len(given) == 2


def ran(tmp_path, *, peers=("random",), others=(), between=()):
    return run_region(
        *(whole_root(tmp_path), peers, [64], quiet, Lite0Backbone().eval, tmp_path),
        phantoms=1,
        others=others,
        between=between,
    )


def test_where_nobody_is_there_to_carry_labels_to_nothing_is_begun(tmp_path):
    with pytest.raises(ParameterError, match="nobody to carry") as refused:
        ran(tmp_path, peers=["hmar-carried"])
    assert "--unlabelled" in refused.value.remedy


def test_volumes_that_labels_cannot_be_carried_from_are_named(tmp_path):
    with pytest.raises(ParameterError, match="carried from lidc, ts, ts-dcm: that takes 100 mm") as refused:
        ran(tmp_path, peers=["hmar-carried"], others=[other("b", 1, slices=8)])
    assert "--between" in refused.value.remedy


def test_a_volume_must_share_structures_that_are_carried_with_those_it_is_asked_in():
    scans = [scan_of(volume(name, seed, slices=24)) for seed, name in enumerate("ab")]
    check_carrying(scans, [other("c", 2)])
    others_bones = scan_of(volume("b", 1, slices=24), names={1: "rib_left_1", 2: "rib_left_2"})
    with pytest.raises(ParameterError, match="from a, b: "):
        check_carrying([scans[0], others_bones], [other("c", 2)])


def test_only_ct_series_are_taken_and_what_is_labelled_on_them_is_left_out():
    series = other("c", 2, slices=8)
    labelled = replace(
        series, labels=np.zeros(series.values.shape, np.int16), image_labels=np.zeros(8, np.int64)
    )
    few, mr = other("d", 3, slices=7), replace(other("e", 4, slices=8), modality="MR")
    (kept,) = without_labels([labelled, few, mr], [scan_of(volume("a", 0))])
    assert kept.name == "c"
    assert kept.labels is None
    assert kept.image_labels is None


def test_a_volume_that_is_measured_cannot_be_learnt_from():
    measured = scan_of(volume("a", 0, slices=8))
    with pytest.raises(ParameterError, match="is a, which is measured"):
        without_labels([other("again", 0, slices=8)], [measured])


@pytest.mark.parametrize("between", [("lidc", "nobody"), ("lidc",), ("ts", "ts")])
def test_volumes_to_measure_between_are_two_or_more_that_are_known(tmp_path, between):
    with pytest.raises(ParameterError, match=", ".join(between)) as refused:
        ran(tmp_path, between=between)
    assert "lidc, ts, ts-dcm" in refused.value.remedy


@pytest.mark.slow
def test_only_the_volumes_that_are_named_are_measured(tmp_path):
    rows = ran(tmp_path, between=("ts", "lidc"))
    directions = {row["direction"] for row in rows if row["protocol"] == "region"}
    assert directions == {"lidc->ts", "ts->lidc", "mean", "people"}


def test_rows_say_how_many_people_without_labels_there_were_and_whom_was_learnt_from():
    assert run._trained(CARRIED, networks.TRAINING, [7], 12)["training"]["unlabelled_volumes"] == 12
    assert "unlabelled_volumes" not in run._trained(OURS, networks.TRAINING, [7], 12)["training"]
    (peer,) = run.select_region_peers(["hmar-carried"])
    assert "to whom its labels could be carried" in str(known_of(peer, [], Cost())["note"])
