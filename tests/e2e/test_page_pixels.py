"""What the page draws is, pixel by pixel, the server's picture: on WebGL2, and on the 2-D canvas."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.pixels import pixel_array
from selenium import webdriver

from hmar.values.entries import Origin
from tests.e2e.chromium import chromium
from tests.e2e.conftest import serving
from tests.e2e.page import Page
from tests.e2e.served import Server
from tests.hmar.dicom.build import image, lut

pytestmark = pytest.mark.slow

PROBE = Path(__file__).with_name("probes").joinpath("pixels.js").read_text()
HU_WINDOWS = ([40, 400, "HU"], [-600, 1500, "HU"], [40.5, 80, "HU"], [0, 1, "HU"])
PERCENT_WINDOWS = ([50, 100, "presentation"], [30, 41, "presentation"])
CT = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}

REAL = (
    *("CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_jpeg_ls_lossless.dcm"),
    *("MR2_J2KI.dcm", "693_J2KR.dcm", "JPEG2000.dcm", "JPGExtended.dcm", "emri_small.dcm"),
    *("rtdose_1frame.dcm", "OBXXXX1A.dcm", "examples_palette.dcm", "gdcm-US-ALOKA-16.dcm"),
)
REAL_COLOUR = ("SC_rgb_jpeg_dcmtk.dcm", "SC_rgb.dcm", "examples_rgb_color.dcm", "US1_J2KR.dcm")


def noise(dtype: Any, low: int, high: int, shape: tuple[int, ...] = (61, 83)) -> NDArray[Any]:
    """Return every value of a range where there are no more of them than pixels, else some, ends included."""
    values = np.random.default_rng(low & 0xFF).integers(low, high + 1, shape)
    values.flat[:2] = low, high
    return values.astype(dtype)


def ramp(dtype: Any, low: int, high: int) -> NDArray[Any]:
    """Return each value from ``low`` to ``high``, 100 a row; the last row is filled up."""
    values = np.arange(low, high + 1)
    return np.pad(values, (0, -len(values) % 100), mode="edge").reshape(-1, 100).astype(dtype)


SIGNED = ramp(np.int16, -3100, 3200)
MR = ramp(np.uint16, 0, 4095)
FILES: dict[str, bytes] = {
    "ct-signed": image(SIGNED, **CT, PixelPaddingValue=-2000, WindowCenter=40, WindowWidth=350),
    "ct-padding-range": image(SIGNED, **CT, PixelPaddingValue=-3024, PixelPaddingRangeLimit=-2000),
    "ct-unsigned": image(MR, **CT, WindowCenter=[-600, 40], WindowWidth=[1500, 400]),
    "ct-slope": image(SIGNED, **{**CT, "RescaleSlope": 0.3, "RescaleIntercept": -500.7}),
    "mr": image(MR, Modality="MR", PixelPaddingValue=0),
    "mr-signed-all-bits": image(noise(np.int16, -32768, 32767), Modality="MR"),
    "mr-window": image(MR, Modality="MR", WindowCenter=700, WindowWidth=900),
    "mr-step": image(MR, Modality="MR", WindowCenter=700, WindowWidth=1),
    "mr-one-value": image(np.full((4, 6), 7, np.uint16), Modality="MR"),
    "pet": image(
        MR, Modality="PT", RescaleSlope=0.37, RescaleIntercept=0, WindowCenter=200, WindowWidth=333.3
    ),
    "cr-inverted": image(
        MR, Modality="CR", PhotometricInterpretation="MONOCHROME1", WindowCenter=2000, WindowWidth=3001
    ),
    "cr-inverted-padding": image(
        MR, Modality="CR", PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=4095
    ),
    "dx-sigmoid": image(
        MR, Modality="DX", WindowCenter=1800, WindowWidth=1200, VOILUTFunction="SIGMOID", BitsStored=12
    ),
    "dx-exact": image(
        MR, Modality="DX", WindowCenter=1800, WindowWidth=1200, VOILUTFunction="LINEAR_EXACT", BitsStored=12
    ),
    "us-8-bit": image(noise(np.uint8, 0, 255), Modality="US"),
    "mg-table": image(
        ramp(np.uint16, 0, 255),
        Modality="MG",
        VOILUTSequence=[lut([256, 0, 16], [min(65535, value * value) for value in range(256)])],
    ),
    "ot-modality-table": image(
        ramp(np.uint16, 0, 255),
        Modality="OT",
        ModalityLUTSequence=[lut([256, 0, 16], list(range(0, 1024, 4)), ModalityLUTType="US")],
    ),
}
COLOUR = noise(np.uint8, 0, 255, (40, 52, 3))


def unique(data: bytes, number: int) -> bytes:
    """Return a file as an image of a series of its own."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}.1"
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID = f"1.2.3.{number}", f"1.2.4.{number}"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def as_png(values: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def real(name: str) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = pydicom.data.get_testdata_file(name, download=False)
    assert path is not None, name
    return Path(str(path)).read_bytes()


class Drawings:
    """Draws in a browser that has WebGL2."""

    def __init__(self, server: Server, browser: webdriver.Chrome) -> None:
        self.server, self.browser, self.page = server, browser, Page(browser)
        self.page.log_in(server.login_link())
        browser.set_script_timeout(60)

    def indexed(self, name: str, data: bytes, windows: Sequence[object]) -> dict[str, Any]:
        upload = self.server.engine.uploads.put(data)
        self.server.engine.indexer.submit(name, Origin("upload", ""), [upload])
        return self._drawn({"collection": name}, windows)

    def of_file(self, data: bytes, windows: Sequence[object]) -> dict[str, Any]:
        return self._drawn({"file": base64.b64encode(data).decode()}, windows)

    def _drawn(self, source: object, windows: Sequence[object]) -> dict[str, Any]:
        drawn: dict[str, Any] = self.browser.execute_async_script(PROBE, source, windows)
        assert "error" not in drawn, drawn
        assert drawn["surfaces"] == ["webgl2", "2d"]
        shape = (drawn["rows"], drawn["columns"], 4)
        for picture in drawn["pictures"]:
            picture["drawn"] = [
                np.frombuffer(base64.b64decode(one), np.uint8).reshape(shape) for one in picture["drawn"]
            ]
            if picture["served"] is not None:
                picture["served"] = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture["served"]))))
        return drawn


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawings]:
    folder = tmp_path_factory.mktemp("pixels")
    with serving(folder / "home") as server, chromium(folder / "profile") as browser:
        yield Drawings(server, browser)


def differing(drawn: dict[str, Any]) -> list[int]:
    """Return how many pixels differ from the server's picture: of each picture on each surface."""
    counts = []
    for picture in drawn["pictures"]:
        grey = picture["served"]
        expected = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
        counts += [int((surface != expected).any(2).sum()) for surface in picture["drawn"]]
    return counts


def test_both_surfaces_show_the_greys_of_the_servers_picture(drawings: Drawings) -> None:
    wrong = {}
    for number, (name, data) in enumerate(FILES.items()):
        windows = {"CT": HU_WINDOWS}.get(pydicom.dcmread(io.BytesIO(data)).Modality, ())
        drawn = drawings.indexed(name, unique(data, number), [None, *windows])
        assert drawn["units"] == "HU" or not windows
        if any(counts := differing(drawn)):
            wrong[name] = counts
    for name, values in {
        "png-8": noise(np.uint8, 0, 255),
        "png-16": noise(np.uint16, 0, 65535),
    }.items():
        if any(counts := differing(drawings.indexed(name, as_png(values), [None, *PERCENT_WINDOWS]))):
            wrong[name] = counts
    assert wrong == {}
    assert drawings.page.mistakes() == []


def test_a_window_that_a_reader_sets_is_as_good_as_the_files_own(drawings: Drawings) -> None:
    kinds = {
        "MR": {},
        "CR": {"PhotometricInterpretation": "MONOCHROME1"},
        "PT": {"RescaleSlope": 0.37, "RescaleIntercept": 0},
    }
    for number, (modality, meaning) in enumerate(kinds.items()):
        plain = image(MR, Modality=modality, **meaning)
        drawn = drawings.indexed(modality, unique(plain, 100 + 2 * number), [[700, 900]])
        windowed = image(MR, Modality=modality, **meaning, WindowCenter=700, WindowWidth=900)
        own = drawings.indexed(f"{modality}-own", unique(windowed, 101 + 2 * number), [None])
        drawn["pictures"][0]["served"] = own["pictures"][0]["served"]
        assert differing(drawn) == [0, 0], modality


def test_colour_is_that_of_the_file(drawings: Drawings) -> None:
    stored = image(
        COLOUR.transpose(2, 0, 1),
        Modality="XC",
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=1,
        NumberOfFrames=None,
    )
    files = {"rgb": stored, **{name: real(name) for name in REAL_COLOUR}}
    for name, data in files.items():
        drawn = drawings.of_file(data, [None])
        dataset = pydicom.dcmread(io.BytesIO(data))
        expected = COLOUR if name == "rgb" else pixel_array(dataset, raw=False)
        for surface in drawn["pictures"][0]["drawn"]:
            np.testing.assert_array_equal(surface[..., :3], expected, err_msg=name)


def test_real_files_of_many_makers_show_the_same_greys(drawings: Drawings) -> None:
    wrong = {}
    for name in REAL:
        drawn = drawings.of_file(real(name), [None, [40, 400, "HU"]])
        if drawn["units"] != "HU":
            drawn["pictures"].pop()
        if any(counts := differing(drawn)):
            wrong[name] = counts
    assert wrong == {}
