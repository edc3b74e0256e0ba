"""Mutated pictures: whatever the bytes, only a facialpalsy error or a picture comes out."""

import io

import numpy as np
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from facialpalsy.errors import FacialPalsyError
from facialpalsy.media import read_photo


def _originals() -> list[bytes]:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8))
    variants = [
        (
            noise,
            "JPEG",
            {"exif": b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"},
        ),
        (noise, "JPEG", {"progressive": True}),
        (noise.convert("CMYK"), "JPEG", {}),
        (noise, "PNG", {}),
        (noise.convert("P"), "PNG", {"transparency": 3}),
        (noise.convert("LA"), "PNG", {}),
        (noise, "WEBP", {}),
        (noise.convert("RGBA"), "WEBP", {"lossless": True, "save_all": True, "append_images": [noise]}),
        (noise, "TIFF", {}),
        (noise, "TIFF", {"compression": "tiff_lzw"}),
        (noise.convert("L"), "TIFF", {"compression": "tiff_deflate", "save_all": True, "append_images": [noise]}),
        (noise.convert("1"), "TIFF", {"compression": "group4"}),
        (noise, "BMP", {}),
        (noise.convert("P"), "BMP", {}),
    ]
    files = []
    for image, format_, options in variants:
        buffer = io.BytesIO()
        image.save(buffer, format_, **options)
        files.append(buffer.getvalue())
    buffer = io.BytesIO()
    pillow_heif.from_pillow(noise).save(buffer, quality=50)
    return [*files, buffer.getvalue()]


ORIGINALS = _originals()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Byte flips (most of them near the header), then perhaps a foreign header or a cut."""
    data = bytearray(draw(st.sampled_from(ORIGINALS)))
    near = st.integers(0, min(127, len(data) - 1))
    anywhere = st.integers(0, len(data) - 1)
    for position in draw(st.lists(near | anywhere, max_size=8)):
        data[position] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    if draw(st.integers(0, 3)) == 0:
        other = draw(st.sampled_from(ORIGINALS))
        length = draw(st.integers(1, 120))
        data[:length] = other[:length]
    if draw(st.integers(0, 3)) == 0:
        del data[draw(st.integers(0, len(data) - 1)) :]
    return bytes(data)


@settings(max_examples=500, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=mutated())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_only_named_errors_come_out(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(data)
    try:
        photo = read_photo(path, max_megapixels=1.0)
    except FacialPalsyError as error:
        assert str(error).endswith(".")
    else:
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.ndim == 3
        assert photo.pixels.shape[2] == 3
        assert photo.pixels.size > 0
