import numpy as np

from hmar.model.serving.features import FrameFeatures
from hmar.training.typicality.fitting import OF_FRAMES, OF_REGIONS, fit_reference
from hmar.training.typicality.summaries import WINDOWS_OF_SIZE, Counted, Summaries
from hmar.values.window_ids import pack_window_id

SIDES = (3, 5, 8)
NO_LOGITS = np.zeros((0, 128), np.float32)


def features(kind: str, seed: int, small: int = 30, large: int = 2) -> FrameFeatures:
    rng = np.random.default_rng(seed)
    ids = [pack_window_id(0, np.arange(small), 0), pack_window_id(2, np.arange(large), 0)]
    count = small + large
    return FrameFeatures(
        kind,
        NO_LOGITS,
        NO_LOGITS,
        rng.random(4).astype(np.float32),
        rng.random((count, 2)).astype(np.float32),
        np.concatenate(ids),
    )


def test_references_are_of_each_kind_and_of_windows_of_each_size():
    summaries = Summaries(SIDES)
    for seed in range(12):
        summaries.add(f"person {seed // 3}", features("HU", seed))
        summaries.add(f"person {seed // 6}", features("presentation:MR", 100 + seed, large=0))
    assert summaries.counted() == {"HU": Counted(12, 4), "presentation:MR": Counted(12, 2)}
    fitted = summaries.fit()
    assert {kind: tuple(known.regions) for kind, known in fitted.items()} == {
        "HU": (3, 8),
        "presentation:MR": (3,),
    }
    known = fitted["HU"]
    assert len(known.regions[3].distances) == 12 * WINDOWS_OF_SIZE
    assert len(known.regions[8].distances) == 12 * 2
    frames = np.stack([features("HU", seed).summary for seed in range(12)])
    expected = fit_reference(frames, np.arange(12) // 3, OF_FRAMES)
    assert np.array_equal(known.frames.distances, expected.distances)
    large = np.concatenate([features("HU", seed).window_summaries[30:] for seed in range(12)])
    expected = fit_reference(large, np.repeat(np.arange(12) // 3, 2), OF_REGIONS)
    assert np.array_equal(known.regions[8].distances, expected.distances)
    assert (known.frames.margin, known.regions[8].margin) == (OF_FRAMES.of_few, OF_REGIONS.of_few)


def test_a_kind_of_too_few_frames_or_people_is_left_out():
    summaries = Summaries(SIDES)
    for seed in range(7):
        summaries.add("one", features("HU", seed))
    assert summaries.fit() == {}
    summaries.add("one", features("HU", 7))
    assert set(summaries.fit()) == {"HU"}
    assert summaries.fit(Counted(8, 2)) == {}
    assert summaries.fit(Counted(9, 1)) == {}


def test_a_frame_that_shows_nothing_is_left_out():
    summaries = Summaries(SIDES)
    summaries.add("one", features("HU", 0, small=0, large=0))
    assert summaries.counted() == {}
