from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hmar.values.feedback import FeedbackQuery, regions_from_json
from hmar.values.geometry import Box

NUMBERS = st.floats(-1e6, 1e6) | st.integers(0, 9999)
QUERY = FeedbackQuery("1.2", None, 1, (Box(1.0, 2.0, 3.0, 4.0),))


@given(st.lists(st.builds(Box, NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=4).map(tuple))
def test_regions_are_read_back_as_they_were_written(regions: tuple[Box, ...]) -> None:
    assert regions_from_json(FeedbackQuery("1.2", None, 1, regions).regions_json()) == regions


def test_a_topic_is_that_of_the_same_query_alone() -> None:
    same = replace(QUERY, regions=(Box(1, 2, 3, 4),))
    others = [
        replace(QUERY, sop_instance_uid=None, file_sha256="1.2"),
        replace(QUERY, frame_number=2),
        replace(QUERY, regions=()),
        replace(QUERY, regions=QUERY.regions * 2),
    ]
    assert same.topic == QUERY.topic
    assert len({QUERY.topic, *(other.topic for other in others)}) == 5
    assert len(QUERY.topic) == 16
