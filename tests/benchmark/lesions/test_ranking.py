import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmark.lesions.ranking import rank_frames


def bits_apart(a, b):
    return int.from_bytes(a.tobytes(), "big").__xor__(int.from_bytes(b.tobytes(), "big")).bit_count()


def by_loops(query, frames, longer_query, longer_frames):
    """Rank one query's frames with integers of Python."""
    sums, windows = [], []
    for frame, longer in zip(frames, longer_frames, strict=True):
        sums.append(sum(min(bits_apart(one, window) for window in frame) for one in query))
        keys = [
            (bits_apart(query[0], short), bits_apart(longer_query[0], whole), place)
            for place, (short, whole) in enumerate(zip(frame, longer, strict=True))
        ]
        windows.append(min(keys)[2])
    return sums, windows


few = st.integers(0, 3)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.uint8, (2, 9, 2), elements=few),
    st.lists(arrays(np.uint8, (3, 2), elements=few), min_size=1, max_size=4),
)
def test_frames_are_ranked_by_nine_windows_and_boxed_by_the_centred_one(queries, frames):
    frames = [frame[: 1 + index % 3] for index, frame in enumerate(frames)]
    short = [query[:, :1] for query in queries], [frame[:, :1] for frame in frames]
    ranked = rank_frames(*short, (list(queries), frames))
    for row, query in enumerate(queries):
        sums, windows = by_loops(short[0][row], short[1], query, frames)
        assert ranked.distance[row].tolist() == sums
        assert ranked.window[row].tolist() == windows


def test_floats_are_compared_by_cosine():
    rng = np.random.default_rng(0)
    queries = [rng.standard_normal((9, 5)).astype(np.float32) for _ in range(3)]
    frames = [rng.standard_normal((count, 5)).astype(np.float32) for count in (4, 1, 7)]
    ranked = rank_frames(queries, frames)
    for row, query in enumerate(queries):
        for column, frame in enumerate(frames):
            cosines = np.array(
                [
                    [1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in frame]
                    for a in query.astype(float)
                ]
            )
            assert ranked.distance[row, column] == pytest.approx(cosines.min(axis=1).sum(), abs=1e-5)
            assert ranked.window[row, column] == cosines[0].argmin()


@pytest.mark.slow
@pytest.mark.parametrize("bits", [64, 128])
def test_the_order_and_the_boxes_are_those_of_the_product(bits):
    from hmar.adapters.memory import MemoryCatalogue, MemoryIndex
    from hmar.decoding.in_process import ImageDecoder
    from hmar.decoding.limits import MAX_FRAME_PIXELS
    from hmar.dicom.deidentify import PatientHasher
    from hmar.encoder import HmarEncoder, shipped_bundle
    from hmar.search import Searcher
    from hmar.values.entries import Origin
    from hmar.values.geometry import Box
    from hmar.values.selection import Selection
    from tests.phantoms import ct_file

    encoder = HmarEncoder.load(shipped_bundle())
    decoder = ImageDecoder(MAX_FRAME_PIXELS, PatientHasher(bytes(32)))
    frames = [decoder.open(ct_file(1, number)).frame(1) for number in (1, 2, 3)]
    encoded = [encoder.encode(frame) for frame in frames]
    catalogue = MemoryCatalogue()
    for number, one in enumerate(encoded):
        catalogue.append("c", [one], Origin("local", str(number)))
    box = Box(110, 80, 20, 20)
    hits = Searcher(catalogue, MemoryIndex(encoder.fingerprint), encoder).region(
        frames[0], box, 3, "local", Selection(), bits
    )
    query = encoder.region_query(frames[0], box)
    whole = [query.window_codes], [one.window_codes for one in encoded]
    short = [codes[:, : bits // 8] for codes in whole[0]], [codes[:, : bits // 8] for codes in whole[1]]
    ranked = rank_frames(*short, whole)
    uids = [frame.info.sop_instance_uid for frame in frames]
    for hit in hits:
        place = uids.index(hit.entry.info.sop_instance_uid)
        assert hit.local_distance == ranked.distance[0, place] / 9
        window = encoded[place].window_ids[ranked.window[0, place]]
        assert hit.box == encoder.window_box(frames[place].info, int(window))
