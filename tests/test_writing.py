"""Writing: a file appears whole or not at all, whatever stops it."""

import errno
import os
import stat
from pathlib import Path

import pytest

from facialpalsy.errors import OutputError
from facialpalsy.writing import atomic_path, make_folder, remove_partial, write_text


def test_text_is_written_as_it_is(tmp_path):
    write_text(tmp_path / "лицо.txt", "a\r\nb\n笑")
    assert (tmp_path / "лицо.txt").read_bytes() == "a\r\nb\n笑".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["лицо.txt"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("x"), KeyboardInterrupt()]
)
def test_what_stops_half_way_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half():
        with atomic_path(path) as temporary:
            temporary.write_text("ne")
            assert path.read_text() == "old"
            raise error

    with pytest.raises(OutputError if isinstance(error, OSError) else type(error)) as raised:
        write_half()
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]
    if isinstance(error, OSError):
        assert "Cannot write 'a.txt': No space left on device" in str(raised.value)
        assert "choose another --out folder" in str(raised.value)
        assert str(tmp_path) not in str(raised.value)


def test_a_disk_that_is_full_leaves_nothing_half_written(tmp_path):
    """A device that takes no byte, as a full disk does."""
    with (
        pytest.raises(OutputError, match="No space left"),
        atomic_path(tmp_path / "a.txt"),
        Path("/dev/full").open("w") as full,
    ):
        full.write("x" * 100_000)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_the_file_is_left_alone(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OutputError, match=r"Cannot write 'a\.txt'"):
        write_text(tmp_path / "a.txt", "a")
    assert (tmp_path / "a.txt").is_dir()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_gone_or_a_file_is_an_output_error(tmp_path):
    with pytest.raises(OutputError):
        write_text(tmp_path / "gone" / "a.txt", "a")
    (tmp_path / "file").write_text("here")
    with pytest.raises(OutputError, match=r"Cannot write 'file'|Cannot write 'below'"):
        make_folder(tmp_path / "file" / "below")
    with pytest.raises(OutputError):
        make_folder(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "here"


def test_a_folder_is_made_with_its_parents_and_may_be_there(tmp_path):
    assert make_folder(tmp_path / "a" / "b").is_dir()
    assert make_folder(tmp_path / "a" / "b").is_dir()


def test_a_name_that_is_too_long_is_an_output_error(tmp_path):
    with pytest.raises(OutputError):
        write_text(tmp_path / ("x" * 300), "a")
    with pytest.raises(OutputError):
        make_folder(tmp_path / ("x" * 300))
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    with atomic_path(tmp_path / "a.json") as temporary:
        left = tmp_path / f"{temporary.name[:-5]}x.json"
        left.write_text("half")
        (tmp_path / "a.partial.json").write_text("the user's own")
        (tmp_path / ".hidden").write_text("the user's own")
        temporary.write_text("whole")
    remove_partial(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "a.partial.json", ".hidden"}
    remove_partial(tmp_path / "gone")
