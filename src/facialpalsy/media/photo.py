"""Photo: a still picture of a hostile or honest file as upright 8-bit sRGB pixels.

Documented choices, each left as a sentence in `Photo.notes` where it changed something that matters:

- more than 8 bits per channel: reduced to 8, white stays white, nothing is stretched;
- grey or black and white: the grey value is used for red, green and blue;
- CMYK: by its own ICC profile, else by Pillow's plain formula;
- transparency: laid over white;
- several pictures in one file (animation, pages, depth or gain maps): the first, for HEIC the primary one;
- an ICC profile or EXIF data that cannot be used: ignored.

Applied without a note, because nothing is lost: EXIF orientation 1-8 (HEIC: its own), a sound ICC profile, a palette.
Refused by name: any other format, numbers without a known white (32-bit, float), camera raw files whose first picture
is a thumbnail. A byte damaged inside JPEG data is often undetectable; whatever the decoder does detect is an error.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray

# The plugins are imported to enter Image.OPEN; Image.open() itself is not used, because it judges the size by a global
# setting before our own limit can be applied.
from PIL import (
    BmpImagePlugin,
    ExifTags,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from facialpalsy.errors import FacialPalsyError, PictureTooLargeError, UnreadablePictureError
from facialpalsy.media.source import require_above_zero, require_file, require_megapixels

PHOTO_SUFFIXES: frozenset[str] = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".heic", ".heif"}
)

# 100 megapixels of uncompressed 16-bit RGBA are 0.8 GB; no honest photo file is larger than this.
MAX_FILE_BYTES = 1 << 30

_FORMATS = (
    JpegImagePlugin.JpegImageFile.format,
    PngImagePlugin.PngImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
    TiffImagePlugin.TiffImageFile.format,
    BmpImagePlugin.BmpImageFile.format,
)
_ALLOWED = "Allowed are JPEG, PNG, WebP, TIFF, BMP and HEIC; save it as one of these."

# What comes in place of a picture, told from its first bytes only, so that no decoder of it ever runs.
_FOREIGN = {
    b"GIF8": "a GIF animation",
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript file",
    b"8BPS": "a Photoshop file",
    b"\x00\x00\x00\x0cjP": "a JPEG 2000 picture",
    b"\x00\x00\x01\x00": "an icon file",
    b"\x1aE\xdf\xa3": "a WebM or Matroska clip",
    b"PK\x03\x04": "a ZIP archive or Office document",
}
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})

# What Pillow and libheif raise on damaged data.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    MemoryError,
    AssertionError,
    struct.error,
    zlib.error,
)

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_SIXTEEN_BIT = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_KNOWN_MODES = _SIXTEEN_BIT | {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBX", "RGBA", "RGBa", "CMYK", "YCbCr"}
_NEW_SUBFILE_TYPE = 254  # TIFF 6.0, section 8: bit 0 marks a reduced copy of another picture in the file
_BITS_PER_SAMPLE = 258


@dataclass(frozen=True, eq=False)
class Photo:
    """A still picture as it is measured.

    Attributes:
        pixels: (h, w, 3) sRGB, upright.
        sha256: Of the file's bytes, hexadecimal.
        notes: One sentence for every choice that changed the picture; no path, no metadata.
    """

    pixels: NDArray[np.uint8]
    sha256: str
    notes: tuple[str, ...]


def read_photo(path: Path, *, max_megapixels: float = 100.0) -> Photo:
    """Read the picture `path`; the format is told by its content, never by its name.

    Args:
        path: A JPEG, PNG, WebP, TIFF, BMP or HEIC file of at most 1 GiB.
        max_megapixels: Largest number of pixels, in millions, checked in the header before any decoding.

    Raises:
        InputNotFoundError: nothing of that name exists.
        UnreadablePictureError: a folder, empty, truncated, damaged, or of a format or pixel type that is not allowed.
        PictureTooLargeError: above the pixel limit or above 1 GiB.
        UsageError: `max_megapixels` is not above zero.
    """
    require_above_zero("--max-megapixels", max_megapixels)
    size = require_file(path, UnreadablePictureError)
    if size > MAX_FILE_BYTES:
        raise PictureTooLargeError(
            f"{path.name!r} has {size / 2**30:.1f} GiB; a picture file may have at most 1 GiB. Save it as JPEG or PNG."
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadablePictureError(
            f"{path.name!r} cannot be read ({error.strerror}); check who may read it."
        ) from error
    try:
        image = _open(data, path.name)
        require_megapixels(path.name, *image.size, max_megapixels)
        notes = _format_notes(image, data, path.name)
        image.load()
        upright = _upright(image, notes)
        pixels = np.array(_to_srgb(upright, image.info.get("icc_profile"), notes))
    except Image.DecompressionBombError as error:  # only WebP, whose plugin refuses before the size can be asked for
        raise PictureTooLargeError(
            f"{path.name!r} is a WebP picture of more than {2e-6 * (Image.MAX_IMAGE_PIXELS or 0):.0f} megapixels (the "
            f"limit --max-megapixels is {max_megapixels:g}) and was not decoded. Make it smaller."
        ) from error
    except FacialPalsyError:  # some of ours are ValueErrors too
        raise
    except _DECODER_ERRORS as error:
        raise UnreadablePictureError(
            f"{path.name!r} is damaged or cut short and cannot be decoded; copy it again from where it came, or open "
            "and save it in a picture editor."
        ) from error
    return Photo(pixels, hashlib.sha256(data).hexdigest(), tuple(notes))


def _open(data: bytes, name: str) -> ImageFile.ImageFile:
    """The picture with only its header read."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        heif: ImageFile.ImageFile = pillow_heif.HeifImageFile(io.BytesIO(data), "")  # type: ignore[no-untyped-call]
        return heif
    for format_ in _FORMATS:
        factory, accept = Image.OPEN[format_]
        if accept is not None and accept(data[:16]) is True:
            return factory(io.BytesIO(data), "")
    raise UnreadablePictureError(f"{name!r} is {_what_it_is(data)}, not a picture that can be read. {_ALLOWED}")


def _what_it_is(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "an AVIF picture" if data[8:12] in (b"avif", b"avis") else "a clip"
    if data[128:132] == b"DICM":
        return "a DICOM file"
    return next((what for start, what in _FOREIGN.items() if data.startswith(start)), "of an unknown format")


def _format_notes(image: ImageFile.ImageFile, data: bytes, name: str) -> list[str]:
    """What the header tells about bits and number of pictures; refuses what has no documented meaning."""
    tiff = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    if image.mode not in _KNOWN_MODES:
        raise UnreadablePictureError(
            f"{name!r} holds pixels of the type {image.mode!r}, whose black and white are not known; save it as an "
            "8-bit or 16-bit grey or RGB picture."
        )
    if tiff.get(_NEW_SUBFILE_TYPE, 0) & 1:
        raise UnreadablePictureError(
            f"{name!r} begins with a thumbnail, as camera raw files do; develop it to JPEG, PNG or TIFF first."
        )
    bits = 8
    if image.format == "PNG":
        bits = data[24]
    elif tiff:
        bits = max(tiff.get(_BITS_PER_SAMPLE, (1,)))
    elif image.format == "HEIF":
        bits = image.info.get("bit_depth", 8)
    notes = [f"The file has {bits} bits per channel; they were reduced to 8."] if bits > 8 else []
    count = getattr(image, "n_frames", 1)
    if count > 1:
        which = "primary" if image.format == "HEIF" else "first"
        notes.append(f"The file holds {count} pictures (animation, pages or extra maps); the {which} one was used.")
    return notes


def _upright(image: ImageFile.ImageFile, notes: list[str]) -> Image.Image:
    """The decoded picture turned as its EXIF orientation says.

    `ImageOps.exif_transpose` is not used: it also writes the EXIF block anew and fails on real cameras' odd entries.
    The TIFF and HEIC plugins have turned the picture themselves by now, and say 1 here.
    """
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _DECODER_ERRORS:
        notes.append("The EXIF data are damaged and were ignored; the picture may not be upright.")
        return image
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """An RGB picture in sRGB of `image`, any known mode."""
    image = _over_white(_eight_bits(image), notes)
    if image.mode == "L":
        notes.append("The picture is grey; its grey was used for red, green and blue.")
    elif image.mode == "CMYK":
        notes.append("The picture is CMYK (made for print); it was converted to RGB and its colours are approximate.")
    if profile:
        srgb = ImageCms.createProfile("sRGB")
        try:
            image = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB") or image
        except ImageCms.PyCMSError:
            notes.append("The colour profile is damaged or does not fit the picture and was ignored.")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey: 65535 becomes 255, rounded to the nearest level."""
    if image.mode not in _SIXTEEN_BIT:
        return image
    grey = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((grey + 128) // 257).astype(np.uint8))


def _over_white(image: Image.Image, notes: list[str]) -> Image.Image:
    """The picture as L, RGB or CMYK, its transparent parts laid over white."""
    if image.has_transparency_data:
        clear = image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA")
        alpha = clear.getchannel("A")
        image = clear.convert(clear.mode[:-1])
        if alpha.getextrema()[0] != 255:
            notes.append("The picture has transparent parts; they were laid over white.")
            return Image.composite(image, Image.new(image.mode, image.size, "white"), alpha)
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")
