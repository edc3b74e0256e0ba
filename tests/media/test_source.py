"""Source: only a regular file with something in it is opened, and no limit is a number that is none."""

import os

import pytest

from facialpalsy.errors import (
    InputNotFoundError,
    PictureTooLargeError,
    UnreadablePictureError,
    UnreadableVideoError,
    UsageError,
)
from facialpalsy.media import file_sha256
from facialpalsy.media.source import require_above_zero, require_file, require_megapixels


def test_the_size_of_a_regular_file(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "abc")
    assert require_file(tmp_path / "abc", UnreadablePictureError) == 3
    assert require_file(tmp_path / "link", UnreadablePictureError) == 3


def nothing(path):
    """No file of that name."""


def link_to_nothing(path):
    path.symlink_to(path.parent / "nowhere")


def links_in_a_circle(path):
    path.symlink_to(path)


def as_part_of_a_file(path):
    path.parent.rmdir()
    path.parent.write_bytes(b"abc")


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (nothing, InputNotFoundError, "'x' does not exist; check the name"),
        (link_to_nothing, InputNotFoundError, "'x' does not exist; check the name"),
        (links_in_a_circle, UnreadableVideoError, "'x' cannot be opened"),
        (as_part_of_a_file, UnreadableVideoError, "'x' cannot be opened"),
        (os.mkdir, UnreadableVideoError, "'x' is a folder or a device, not a file; name one file"),
        # Opening a pipe that nobody writes to would wait for ever.
        (os.mkfifo, UnreadableVideoError, "'x' is a folder or a device, not a file; name one file"),
        (lambda path: path.touch(), UnreadableVideoError, "'x' is empty \\(0 bytes\\); copy it again"),
    ],
)
def test_anything_else_is_an_error_of_the_callers_kind_by_its_name_only(tmp_path, make, kind, words):
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" / "x"
    make(path)
    with pytest.raises(kind, match=words) as caught:
        require_file(path, UnreadableVideoError)
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises((InputNotFoundError, UnreadablePictureError)):
        file_sha256(path)


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "x.jpg"
    path.write_bytes(b"abc")

    def forbidden(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", forbidden)
    with pytest.raises(UnreadablePictureError, match=r"^'x\.jpg' cannot be read: Permission denied; check who may"):
        file_sha256(path)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), float("-inf")])
def test_a_limit_must_be_a_number_above_zero(value):
    require_above_zero("--every", 1e-9)
    with pytest.raises(UsageError, match=r"--every is .+; it must be a number above 0"):
        require_above_zero("--every", value)


def test_a_picture_may_have_as_many_pixels_as_the_limit_and_no_more():
    require_megapixels("x.jpg", 2000, 1000, 2)
    with pytest.raises(PictureTooLargeError, match=r"2001 x 1000 \(2.001 megapixels\); at most 2 are allowed"):
        require_megapixels("x.jpg", 2001, 1000, 2)
