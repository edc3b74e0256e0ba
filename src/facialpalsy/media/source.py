"""Source: what is checked of a file before anything in it is decoded."""

from __future__ import annotations

import hashlib
from math import isfinite
from pathlib import Path

from facialpalsy.errors import (
    FacialPalsyError,
    InputNotFoundError,
    PictureTooLargeError,
    UnreadablePictureError,
    UsageError,
)


def require_file(path: Path, unreadable: type[FacialPalsyError]) -> int:
    """Return the size in bytes of the regular, non-empty file `path`.

    Raises:
        InputNotFoundError: nothing of that name exists.
        FacialPalsyError: of the class `unreadable`, where it is a folder, a device, empty or out of reach.
    """
    try:
        size = path.stat().st_size
        regular = path.is_file()
    except FileNotFoundError:
        raise InputNotFoundError(f"{path.name!r} does not exist; check the name and the folder.") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = getattr(error, "strerror", None) or "its name is not valid"
        raise unreadable(f"{path.name!r} cannot be opened ({reason}); check the name and who may read it.") from None
    if not regular:
        raise unreadable(f"{path.name!r} is a folder or a device, not a file; name one file.")
    if size == 0:
        raise unreadable(f"{path.name!r} is empty (0 bytes); copy it again from where it came.")
    return size


def require_above_zero(option: str, value: float) -> None:
    """Refuse an option's value that is not a finite number above zero.

    Raises:
        UsageError: it is not.
    """
    if not (isfinite(value) and value > 0):
        raise UsageError(f"{option} is {value:g}; it must be a number above 0.")


def require_megapixels(name: str, width: int, height: int, limit: float) -> None:
    """Refuse a picture of `width` by `height` pixels that is above `limit` megapixels.

    Raises:
        PictureTooLargeError: it is above the limit.
    """
    if width * height > limit * 1e6:
        raise PictureTooLargeError(
            f"{name!r} says it is {width} x {height} ({width * height / 1e6:.4g} megapixels); at most {limit:g} "
            "are allowed, so it was not decoded. Make it smaller or raise --max-megapixels."
        )


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes in hexadecimal, read in blocks of constant size.

    Raises:
        InputNotFoundError: nothing of that name exists.
        UnreadablePictureError: it is empty, no regular file, or may not be read.
    """
    require_file(path, UnreadablePictureError)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadablePictureError(
            f"{path.name!r} cannot be read: {error.strerror}; check who may read it."
        ) from None
