"""Photos: every format, orientation, pixel type, limit and fault of DESIGN section 8."""

import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from facialpalsy.errors import (
    InputNotFoundError,
    PictureTooLargeError,
    UnreadablePictureError,
    UsageError,
)
from facialpalsy.media import PHOTO_SUFFIXES, read_photo

# What turns an upright picture into the stored one for each EXIF orientation (EXIF 2.3, table 6: which side of the
# stored picture is the visual top).
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


def picture(height: int = 40, width: int = 56) -> np.ndarray:
    """Smooth and without any symmetry, so that JPEG keeps it and every turn shows."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    return np.stack([40 + 3 * x, 60 + 4 * y, 90 + x + y], axis=2).astype(np.uint8)


def saved(path: Path, image: Image.Image, format_: str, **options: object) -> Path:
    if format_ == "HEIF":
        pillow_heif.from_pillow(image).save(path, quality=-1, chroma=444, matrix_coefficients=0, **options)
    else:
        image.save(path, format_, **({"lossless": True} if format_ == "WEBP" else {}), **options)
    return path


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


LOSSLESS = [("p.png", "PNG"), ("p.webp", "WEBP"), ("p.tif", "TIFF"), ("p.bmp", "BMP"), ("p.heic", "HEIF")]


@pytest.mark.parametrize(("name", "format_"), LOSSLESS)
def test_a_lossless_format_gives_back_the_pixels(tmp_path, name, format_):
    path = saved(tmp_path / name, Image.fromarray(picture()), format_)
    photo = read_photo(path)
    assert photo.pixels.dtype == np.uint8
    np.testing.assert_array_equal(photo.pixels, picture())
    assert photo.notes == ()
    assert photo.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.suffix in PHOTO_SUFFIXES


def test_jpeg_gives_nearly_the_pixels(tmp_path):
    photo = read_photo(saved(tmp_path / "p.jpg", Image.fromarray(picture()), "JPEG", quality=95))
    assert np.abs(photo.pixels.astype(int) - picture()).max() <= 12
    assert photo.notes == ()


def test_the_content_decides_and_not_the_name(tmp_path):
    np.testing.assert_array_equal(
        read_photo(saved(tmp_path / "really_png.jpg", Image.fromarray(picture()), "PNG")).pixels, picture()
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_undone_exactly(tmp_path, format_, orientation):
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](picture())))
    photo = read_photo(saved(tmp_path / "p", stored, format_, exif=exif(orientation)))
    np.testing.assert_array_equal(photo.pixels, picture())
    assert photo.notes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_of_jpeg(tmp_path, orientation):
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](picture())))
    photo = read_photo(saved(tmp_path / "p", stored, "JPEG", quality=95, exif=exif(orientation)))
    assert photo.pixels.shape == picture().shape
    assert np.abs(photo.pixels.astype(int) - picture()).max() <= 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_heic_is_applied_once(tmp_path, orientation):
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](picture())))
    path = saved(tmp_path / "p.heic", stored, "HEIF", exif=exif(orientation))
    np.testing.assert_array_equal(read_photo(path).pixels, picture())


def test_odd_exif_neither_stops_the_picture_nor_its_turn(tmp_path):
    block = Image.Exif()
    block[0x0112] = 6
    block[0x9286] = "user comment"  # a type that Pillow cannot always write again
    stored = Image.fromarray(np.ascontiguousarray(STORED[6](picture())))
    path = saved(tmp_path / "p.png", stored, "PNG", exif=block.tobytes())
    np.testing.assert_array_equal(read_photo(path).pixels, picture())


def test_damaged_exif_is_ignored_with_a_note(tmp_path):
    path = saved(tmp_path / "p.png", Image.fromarray(picture()), "PNG", exif=b"Exif\x00\x00XX\x00\x00broken")
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.pixels, picture())
    assert len(photo.notes) == 1
    assert "EXIF" in photo.notes[0]


def test_sixteen_bit_grey_is_scaled_by_its_full_range(tmp_path):
    grey = np.array([[0, 257, 32896, 65535, 128, 129]], np.uint16)  # 257 = 65535 / 255: one 8-bit level
    for name, format_ in (("p.png", "PNG"), ("p.tif", "TIFF")):
        photo = read_photo(saved(tmp_path / name, Image.fromarray(grey), format_))
        np.testing.assert_array_equal(photo.pixels[0, :, 0], [0, 1, 128, 255, 0, 1])
        np.testing.assert_array_equal(photo.pixels[..., 0], photo.pixels[..., 2])
        assert [note for note in photo.notes if "16 bits" in note]
        assert [note for note in photo.notes if "grey" in note]


def png_rgb16(values: np.ndarray) -> bytes:
    """A 16-bit RGB PNG, which Pillow cannot write (PNG specification, sections 5 and 11)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, _ = values.shape
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff_rgb(values: np.ndarray) -> bytes:
    """An uncompressed RGB TIFF of 8, 16 or 32 bits in one strip (TIFF 6.0, section 6)."""
    height, width, _ = values.shape
    bits = values.dtype.itemsize * 8
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, 134), (259, 3, 1, 1), (262, 3, 1, 2)]
    entries += [(273, 4, 1, 140), (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 1, values.nbytes), (284, 3, 1, 1)]
    ifd = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    body = b"II*\x00\x08\x00\x00\x00" + ifd + b"\x00" * 4
    assert len(body) == 134
    return body + struct.pack("<3H", bits, bits, bits) + values.astype(values.dtype.newbyteorder("<")).tobytes()


@pytest.mark.parametrize("encoded", [png_rgb16, tiff_rgb])
def test_sixteen_bit_rgb_is_reduced_to_eight(tmp_path, encoded):
    path = tmp_path / "p"
    path.write_bytes(encoded(picture().astype(np.uint16) * 257))
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.pixels, picture())
    assert photo.notes == ("The file has 16 bits per channel; they were reduced to 8.",)


def test_ten_bit_heic_is_reduced_to_eight(tmp_path):
    values = picture().astype(np.uint16) * 257
    heif = pillow_heif.from_bytes("RGB;16", (56, 40), values.tobytes())
    heif.save(tmp_path / "p.heic", quality=-1, chroma=444, matrix_coefficients=0)
    photo = read_photo(tmp_path / "p.heic")
    assert np.abs(photo.pixels.astype(int) - picture()).max() <= 1
    assert [note for note in photo.notes if "bits per channel" in note]


@pytest.mark.parametrize("mode", ["F", "I"])
def test_numbers_without_a_known_white_are_refused(tmp_path, mode):
    path = saved(tmp_path / "p.tif", Image.new(mode, (8, 6), 1), "TIFF")
    with pytest.raises(UnreadablePictureError, match="8-bit"):
        read_photo(path)


def test_grey_and_bilevel_become_rgb(tmp_path):
    grey = picture()[..., 0]
    photo = read_photo(saved(tmp_path / "g.png", Image.fromarray(grey), "PNG"))
    np.testing.assert_array_equal(photo.pixels, np.stack([grey] * 3, axis=2))
    assert len(photo.notes) == 1
    bits = read_photo(saved(tmp_path / "b.png", Image.fromarray(grey > 100), "PNG"))
    np.testing.assert_array_equal(bits.pixels[..., 1], np.where(grey > 100, 255, 0))


def test_cmyk_is_converted_with_a_note(tmp_path):
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # no cyan, full magenta and yellow: red
    photo = read_photo(saved(tmp_path / "p.tif", cmyk, "TIFF"))
    np.testing.assert_array_equal(photo.pixels, np.full((16, 16, 3), (255, 0, 0)))
    jpeg = read_photo(saved(tmp_path / "p.jpg", cmyk, "JPEG", quality=95))
    assert np.abs(jpeg.pixels.astype(int) - (255, 0, 0)).max() <= 8
    assert "CMYK" in photo.notes[0]
    assert "CMYK" in jpeg.notes[0]


@pytest.mark.parametrize(("name", "format_"), [("p.png", "PNG"), ("p.webp", "WEBP"), ("p.tif", "TIFF")])
def test_alpha_is_laid_over_white(tmp_path, name, format_):
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[..., :3] = (200, 100, 0)
    rgba[..., 3] = [[255, 0, 51], [255, 0, 51]]  # 51 / 255 = one fifth
    photo = read_photo(
        saved(tmp_path / name, Image.fromarray(rgba), format_, **({"exact": True} if name == "p.webp" else {}))
    )
    np.testing.assert_array_equal(photo.pixels[0, :2], [(200, 100, 0), (255, 255, 255)])
    assert np.abs(photo.pixels[0, 2].astype(int) - (244, 224, 204)).max() <= 1  # 255 + (c - 255) / 5
    assert photo.notes == ("The picture has transparent parts; they were laid over white.",)


def test_opaque_alpha_leaves_no_note(tmp_path):
    image = Image.fromarray(picture()).convert("RGBA")
    photo = read_photo(saved(tmp_path / "p.png", image, "PNG"))
    np.testing.assert_array_equal(photo.pixels, picture())
    assert photo.notes == ()


def test_palette_with_and_without_a_transparent_entry(tmp_path):
    image = Image.new("P", (4, 4), 1)
    image.putpalette([10, 20, 30, 40, 50, 60])
    plain = read_photo(saved(tmp_path / "a.png", image, "PNG"))
    np.testing.assert_array_equal(plain.pixels[0, 0], (40, 50, 60))
    clear = read_photo(saved(tmp_path / "b.png", image, "PNG", transparency=1))
    np.testing.assert_array_equal(clear.pixels[0, 0], (255, 255, 255))


@pytest.mark.parametrize(("name", "format_"), [("p.png", "PNG"), ("p.webp", "WEBP"), ("p.tif", "TIFF")])
def test_the_first_of_several_pictures_is_used(tmp_path, name, format_):
    first, second = Image.fromarray(picture()), Image.fromarray(255 - picture())
    photo = read_photo(saved(tmp_path / name, first, format_, save_all=True, append_images=[second]))
    np.testing.assert_array_equal(photo.pixels, picture())
    assert len(photo.notes) == 1
    assert "2 pictures" in photo.notes[0]


def test_a_phone_jpeg_with_a_second_picture_is_read(tmp_path):
    second = Image.fromarray(255 - picture())
    path = saved(
        tmp_path / "p.jpg", Image.fromarray(picture()), "MPO", save_all=True, append_images=[second], quality=95
    )
    photo = read_photo(path)
    assert np.abs(photo.pixels.astype(int) - picture()).max() <= 12
    assert "2 pictures" in photo.notes[0]


def test_a_sound_colour_profile_is_applied(tmp_path):
    linear = ImageCms.ImageCmsProfile(io.BytesIO(_gamma_one_profile()))
    image = Image.new("RGB", (4, 4), (55, 55, 55))  # 55 / 255 = 0.2157 of linear light
    photo = read_photo(saved(tmp_path / "p.png", image, "PNG", icc_profile=linear.tobytes()))
    encoded = 255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    assert np.abs(photo.pixels.astype(int) - round(encoded)).max() <= 1
    assert photo.notes == ()


def _gamma_one_profile() -> bytes:
    """sRGB's own profile with its tone curve replaced by the identity (ICC.1:2010, section 10.5)."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for entry in range(int.from_bytes(data[128:132], "big")):
        at = 132 + 12 * entry
        if data[at : at + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            offset = int.from_bytes(data[at + 4 : at + 8], "big")
            data[offset : offset + 12] = b"curv" + b"\x00" * 8
            data[at + 8 : at + 12] = (12).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_broken_or_foreign_profile_is_ignored_with_a_note(tmp_path, mode):
    image = Image.fromarray(picture()).convert(mode)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = b"not a profile" * 20 if mode == "RGB" else srgb  # an RGB profile does not fit a grey picture
    photo = read_photo(saved(tmp_path / "p.png", image, "PNG", icc_profile=profile))
    np.testing.assert_array_equal(photo.pixels, np.asarray(image.convert("RGB")))
    assert "profile" in photo.notes[-1]


@pytest.mark.parametrize(("name", "format_"), [*LOSSLESS, ("p.jpg", "JPEG")])
def test_the_pixel_limit_names_size_limit_and_option(tmp_path, name, format_):
    path = saved(tmp_path / name, Image.fromarray(picture(100, 200)), format_)
    assert read_photo(path, max_megapixels=0.02).pixels.shape == (100, 200, 3)
    with pytest.raises(PictureTooLargeError, match=r"200 x 100 .*0\.02 megapixels.*0\.0199 .*--max-megapixels"):
        read_photo(path, max_megapixels=0.0199)


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_a_usage_error(tmp_path, limit):
    path = saved(tmp_path / "p.png", Image.fromarray(picture()), "PNG")
    with pytest.raises(UsageError, match="--max-megapixels"):
        read_photo(path, max_megapixels=limit)


def bombs() -> dict[str, bytes]:
    """Tiny files whose headers claim 60000 x 60000 pixels (WebP: 16384 x 16384)."""
    png = bytearray(png_rgb16(np.zeros((1, 1, 3))))
    png[16:24] = struct.pack(">II", 60000, 60000)
    png[29:33] = struct.pack(">I", zlib.crc32(bytes(png[12:29])))
    tiff = bytearray(tiff_rgb(np.zeros((1, 1, 3), np.uint8)))
    tiff[18:22] = tiff[30:34] = struct.pack("<I", 60000)
    jpeg, bmp = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (8, 8)).save(jpeg, "JPEG")
    Image.new("RGB", (8, 8)).save(bmp, "BMP")
    jpeg_bytes, bmp_bytes = bytearray(jpeg.getvalue()), bytearray(bmp.getvalue())
    frame = jpeg_bytes.index(b"\xff\xc0")
    jpeg_bytes[frame + 5 : frame + 9] = struct.pack(">HH", 60000, 60000)
    bmp_bytes[18:26] = struct.pack("<II", 60000, 60000)
    webp = io.BytesIO()
    Image.new("RGBA", (8, 8), (1, 2, 3, 4)).save(webp, "WEBP", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    webp_bytes = bytearray(webp.getvalue())
    webp_bytes[24:30] = (16383).to_bytes(3, "little") * 2
    return {
        "png": bytes(png),
        "tif": bytes(tiff),
        "jpg": bytes(jpeg_bytes),
        "bmp": bytes(bmp_bytes),
        "webp": bytes(webp_bytes),
    }


@pytest.mark.parametrize("kind", ["png", "tif", "jpg", "bmp", "webp"])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path, kind):
    path = tmp_path / f"bomb.{kind}"
    path.write_bytes(bombs()[kind])
    with pytest.raises(PictureTooLargeError, match="--max-megapixels"):
        read_photo(path)


@pytest.mark.filterwarnings("error")
def test_a_limit_above_pillows_own_is_honoured(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    path = saved(tmp_path / "p.png", Image.fromarray(picture()), "PNG")
    np.testing.assert_array_equal(read_photo(path).pixels, picture())


def test_an_absurdly_large_file_is_refused_unread(tmp_path):
    path = tmp_path / "p.jpg"
    with path.open("wb") as file:
        file.truncate(2**30 + 1)  # sparse: takes no room
    with pytest.raises(PictureTooLargeError, match="1 GiB"):
        read_photo(path)


def test_missing_empty_folder_and_device(tmp_path):
    with pytest.raises(InputNotFoundError, match=r"'gone\.jpg' does not exist"):
        read_photo(tmp_path / "gone.jpg")
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(UnreadablePictureError, match="empty"):
        read_photo(tmp_path / "empty.jpg")
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(UnreadablePictureError, match="folder"):
        read_photo(tmp_path / "folder.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UnreadablePictureError, match="device"):
        read_photo(tmp_path / "pipe.jpg")
    with pytest.raises(UnreadablePictureError):
        read_photo(tmp_path / "nul\x00.jpg")


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"GIF89a", "GIF"),
        (b"%!PS-Adobe", "PostScript"),
        (b"%PDF-1.7", "PDF"),
        (b"8BPS\x00\x01", "Photoshop"),
        (b"\x00\x00\x00\x1cftypavif", "AVIF"),
        (b"\x00\x00\x00\x1cftypisom", "clip"),
        (b"\x00" * 128 + b"DICM", "DICOM"),
        (b"Dear doctor, this is no picture.", "unknown format"),
        (b"\x00", "unknown format"),
    ],
)
def test_another_format_is_refused_by_name(tmp_path, start, what):
    path = tmp_path / "p.jpg"
    path.write_bytes(start + bytes(200) if len(start) > 1 else start)
    with pytest.raises(UnreadablePictureError, match=rf"{what}.*Allowed are JPEG, PNG, WebP, TIFF, BMP and HEIC"):
        read_photo(path)


def test_a_real_gif_is_refused(tmp_path):
    with pytest.raises(UnreadablePictureError, match="GIF"):
        read_photo(saved(tmp_path / "p.png", Image.new("P", (4, 4)), "GIF"))


def test_a_camera_raw_thumbnail_is_refused(tmp_path):
    data = bytearray(tiff_rgb(picture()))
    # Replaces PlanarConfiguration (chunky by default) by NewSubfileType = 1; tags need not be sorted for Pillow.
    data[10 + 9 * 12 : 10 + 10 * 12] = struct.pack("<HHII", 254, 4, 1, 1)
    (tmp_path / "p.nef").write_bytes(data)
    with pytest.raises(UnreadablePictureError, match="thumbnail"):
        read_photo(tmp_path / "p.nef")


@pytest.mark.parametrize(("name", "format_"), [*LOSSLESS, ("p.jpg", "JPEG")])
def test_a_cut_file_is_an_error_or_has_lost_nothing(tmp_path, name, format_):
    noise = np.random.default_rng(3).integers(0, 256, (40, 56, 3), np.uint8)
    whole = saved(tmp_path / name, Image.fromarray(noise), format_)
    pixels, data = read_photo(whole).pixels, whole.read_bytes()
    cut = tmp_path / f"cut_{name}"
    errors = 0
    for length in (1, 2, 5, 11, 29, *np.linspace(40, len(data) - 1, 25).astype(int)):
        cut.write_bytes(data[:length])
        try:
            np.testing.assert_array_equal(read_photo(cut).pixels, pixels)
        except UnreadablePictureError:
            errors += 1
    assert errors >= 28


def test_names_with_spaces_foreign_letters_and_newlines(tmp_path):
    for name in ("a b.png", "лицо 顔.png", "two\nlines.png", "concat:x.png", "-rf.png", "%s{0}.png"):
        np.testing.assert_array_equal(
            read_photo(saved(tmp_path / name, Image.fromarray(picture()), "PNG")).pixels, picture()
        )


def test_a_message_is_one_line_and_names_no_folder(tmp_path):
    path = tmp_path / "two\nlines.png"
    path.write_bytes(b"text")
    with pytest.raises(UnreadablePictureError) as caught:
        read_photo(path)
    assert "\n" not in str(caught.value)
    assert tmp_path.name not in str(caught.value)


def test_one_pixel_is_a_picture(tmp_path):
    assert read_photo(saved(tmp_path / "p.png", Image.new("RGB", (1, 1)), "PNG")).pixels.shape == (1, 1, 3)
