import io

import numpy as np
import pytest
from PIL import Image

from hmar.decoding import ImageDecoder
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import DecodeError
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
