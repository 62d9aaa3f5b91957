"""Addresses in viewers: http or https alone, and nothing of a UID is anything but a value."""

from __future__ import annotations

import pytest

from hmar.errors import ConfigError
from hmar.values.frames import FrameInfo
from hmar.values.links import Template

OHIF = (
    "https://ohif.example/viewer?StudyInstanceUIDs={study}&initialSeriesInstanceUID={series}"
    "&initialSOPInstanceUID={sop}"
)
INFO = FrameInfo.from_dict(
    {"study_uid": "1.2", "series_uid": "1.2.3", "sop_instance_uid": "1.2.3.4", "frame_number": 7}
)


def test_a_link_names_study_series_instance_and_frame() -> None:
    link = Template.parse("main", OHIF + "&frame={frame}").link(INFO)
    assert link == (
        "https://ohif.example/viewer?StudyInstanceUIDs=1.2&initialSeriesInstanceUID=1.2.3"
        "&initialSOPInstanceUID=1.2.3.4&frame=7"
    )


def test_uids_of_any_form_are_percent_encoded() -> None:
    odd = FrameInfo.from_dict(
        {"study_uid": "a&b=c/../#x\"'<{sop}>", "series_uid": "%", "sop_instance_uid": " "}
    )
    link = Template.parse("main", "http://127.0.0.1:3000/v?s={study}&x={series}{sop}").link(odd)
    assert link == "http://127.0.0.1:3000/v?s=a%26b%3Dc%2F..%2F%23x%22%27%3C%7Bsop%7D%3E&x=%25%20"


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert({study})",
        "data:text/html,{study}",
        "ftp://a.example/{study}",
        "//a.example/{study}",
        "https://{study}/",
        "https://user:secret@a.example/{study}",
        "https://a.example/",
        "https://a.example/{study}{patient}",
        "https://a.example/{study.__class__}",
        "https://a.example/{study!r}",
        "https://a.example/{study:>9}",
        "https://a.example/{study",
        "https://a.example/{}",
        "https://a.example/ {study}",
        "https://a.example/\n{study}",
        7,
        None,
    ],
)
def test_anything_else_is_no_template(text: object) -> None:
    with pytest.raises(ConfigError, match="viewer"):
        Template.parse("main", text)
