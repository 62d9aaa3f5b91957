import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from hmar.decoding.in_process import ImageDecoder
from hmar.decoding.limits import MAX_FRAME_PIXELS
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import DecodeError, LimitError
from tests.phantoms import ct_file


@pytest.fixture
def decoder() -> ImageDecoder:
    return ImageDecoder(10_000_000, PatientHasher(bytes(32)))


def test_dicom_and_pictures_come_in_through_one_door(decoder):
    buffer = io.BytesIO()
    Image.fromarray(np.eye(32, dtype=np.uint8) * 255).save(buffer, "PNG")
    assert decoder.open(buffer.getvalue()).infos[0].modality == "OT"
    assert decoder.open(ct_file(0, 0)).infos[0].modality == "CT"


@pytest.mark.parametrize(
    "data", [b"", b"hello, this is a text file\n" * 20, b"%PDF-1.7 and so on", bytes(500)]
)
def test_what_is_no_image_is_refused_with_its_length(decoder, data):
    with pytest.raises(DecodeError, match=str(len(data))):
        decoder.open(data)


@pytest.mark.parametrize("side", [8192, 8193])
def test_a_frame_that_would_fill_the_memory_is_refused_whatever_the_setting_says(side: int) -> None:
    dataset = pydicom.dcmread(io.BytesIO(ct_file(0, 0)))
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.Rows = dataset.Columns = side
    # Compressed pixels may claim any size in a few bytes.
    dataset.PixelData = encapsulate([bytes(64)])
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    opening = ImageDecoder(10**12, PatientHasher(bytes(32))).open
    if side**2 <= MAX_FRAME_PIXELS:
        assert opening(buffer.getvalue()).infos[0].rows == side
    else:
        with pytest.raises(LimitError, match=f"{side} x {side}"):
            opening(buffer.getvalue())
