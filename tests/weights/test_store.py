"""The store: installs are whole or absent, and only a file of the known hash is found."""

import hashlib
import json
from dataclasses import replace

import pytest

from facialpalsy.errors import (
    AssetArchiveError,
    AssetHashError,
    AssetNotInstalledError,
    InputNotFoundError,
    OutputError,
)
from facialpalsy.weights import catalogue, find_asset, find_entry, install_copy, install_file, status, store

DATA = b"a landmark model"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder of the user, and no other."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("FACIALPALSY_ASSETS", raising=False)
    monkeypatch.setattr(store, "user_folder", lambda: tmp_path / "data" / "facialpalsy")
    return tmp_path / "data" / "facialpalsy"


@pytest.fixture
def asset(home, monkeypatch):
    """A small file in the place of the landmarker."""
    sha256 = hashlib.sha256(DATA).hexdigest()
    entry = replace(find_entry("face-landmarker"), size=len(DATA), sha256=sha256)
    monkeypatch.setattr(catalogue, "ASSETS", {entry.name: entry})
    return entry


@pytest.fixture
def given(tmp_path):
    path = tmp_path / "down loads" / "Face_Landmarker.TASK"
    path.parent.mkdir()
    path.write_bytes(DATA)
    return path


def test_what_is_not_installed_is_said_with_the_command(asset):
    assert status(asset) is None
    with pytest.raises(AssetNotInstalledError, match="`facialpalsy assets install face-landmarker --from PATH`"):
        find_asset(asset.name)


def test_a_copy_is_installed_found_and_recorded(asset, given, home):
    stored = install_copy(asset, given)
    assert stored.path == home / "face_landmarker.task" == find_asset(asset.name)
    assert stored == status(asset)
    assert (stored.folder, stored.size, stored.sha256) == ("$XDG_DATA_HOME/facialpalsy", len(DATA), asset.sha256)
    assert stored.path.read_bytes() == DATA
    assert {path.name for path in home.iterdir()} == {"face_landmarker.task", "face-landmarker.json"}
    record = json.loads((home / "face-landmarker.json").read_text("utf-8"))
    assert (record["licence"], record["sha256"], record["size"]) == ("Apache-2.0", asset.sha256, len(DATA))
    assert record["given"] == "Face_Landmarker.TASK"
    assert "Apache License" in record["licence_text"]
    assert record["source"] == asset.source
    assert record["installed"].endswith("+00:00")


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"!", b"A" + DATA[1:], b""])
def test_a_wrong_hash_is_refused_and_nothing_is_stored(asset, given, home, data):
    given.write_bytes(data)
    with pytest.raises(AssetHashError, match=rf"expected are {len(DATA)} bytes with sha256 {asset.sha256}"):
        install_copy(asset, given)
    assert not home.exists()


def test_what_cannot_be_given(asset, given, tmp_path):
    with pytest.raises(InputNotFoundError, match=r"'nothing' does not exist"):
        install_copy(asset, tmp_path / "nothing")
    with pytest.raises(AssetArchiveError, match="is a folder or a device"):
        install_copy(asset, given.parent)
    with pytest.raises(InputNotFoundError):
        install_copy(asset, tmp_path / "a\0b")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(InputNotFoundError):
        install_copy(asset, loop)


def test_a_stopped_install_leaves_nothing_and_keeps_what_was_there(asset, given, home):
    def stop(path):
        path.write_bytes(DATA[:5])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install_file(asset, stop, given.name)
    assert list(home.iterdir()) == []
    assert status(asset) is None
    install_copy(asset, given)
    with pytest.raises(KeyboardInterrupt):
        install_file(asset, stop, given.name)
    assert find_asset(asset.name).read_bytes() == DATA


def test_what_a_killed_install_left_is_never_found_and_is_removed(asset, given, home):
    home.mkdir(parents=True)
    partial = home / ".abc.partial.task"
    partial.write_bytes(DATA[:5])
    assert status(asset) is None
    install_copy(asset, given)
    assert not partial.exists()


@pytest.mark.parametrize("data", [DATA[:-1], DATA[:-1] + b"!"], ids=["truncated", "changed"])
def test_a_damaged_file_is_found_out_and_installed_again(asset, given, data):
    path = install_copy(asset, given).path
    assert find_asset(asset.name) == path
    path.write_bytes(data)
    with pytest.raises(AssetHashError, match=rf"damaged or another file: its sha256 is .*, expected {asset.sha256}"):
        find_asset(asset.name)
    install_copy(asset, given)
    assert find_asset(asset.name) == path


def test_a_file_packed_otherwise_counts_by_the_record_of_its_install_alone(asset, home):
    stored = install_file(asset, lambda path: path.write_bytes(b"packed otherwise"), "x.zip")
    assert stored.sha256 != asset.sha256
    assert find_asset(asset.name) == stored.path
    record = home / "face-landmarker.json"
    for text in ("", "[]", "{", '{"schema": "facialpalsy.asset/1"}', record.read_text("utf-8").replace("0", "1")):
        record.write_text(text, "utf-8")
        with pytest.raises(AssetHashError):
            find_asset(asset.name)


def test_the_named_folder_comes_first_and_is_not_written_to(asset, given, tmp_path, monkeypatch):
    own = install_copy(asset, given)
    named = tmp_path / "named"
    monkeypatch.setenv("FACIALPALSY_ASSETS", str(named))
    assert find_asset(asset.name) == own.path
    named.mkdir()
    (named / "face_landmarker.task").write_bytes(DATA)
    found = status(asset)
    assert (found.path.parent, found.folder) == (named, "the folder that FACIALPALSY_ASSETS names")
    assert install_copy(asset, given).path == own.path
    (named / "face_landmarker.task").write_bytes(b"another")
    with pytest.raises(AssetHashError, match="in the folder that FACIALPALSY_ASSETS names"):
        find_asset(asset.name)


def test_an_empty_variable_names_no_folder(asset, given, monkeypatch):
    monkeypatch.chdir(given.parent)
    (given.parent / "face_landmarker.task").write_bytes(DATA)
    monkeypatch.setenv("FACIALPALSY_ASSETS", "")
    assert status(asset) is None


def test_a_folder_of_the_same_name_is_no_asset(asset, home):
    (home / "face_landmarker.task").mkdir(parents=True)
    assert status(asset) is None


def test_what_cannot_be_written_is_said(asset, given, home):
    home.parent.mkdir()
    home.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match=r"Cannot store 'face_landmarker.task' in \$XDG_DATA_HOME/facialpalsy: "):
        install_copy(asset, given)


def test_without_the_variable_it_is_the_data_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store.user_folder().name == "facialpalsy"
