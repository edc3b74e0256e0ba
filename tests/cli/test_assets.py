"""assets list and assets install."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from facialpalsy.errors import AssetNotInstalledError
from facialpalsy.weights import find_asset, store


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty data folder of the user, and no other; the named folder of before is returned."""
    folder = tmp_path / "data" / "facialpalsy"
    monkeypatch.setattr(store, "user_folder", lambda: folder)
    monkeypatch.delenv("FACIALPALSY_ASSETS", raising=False)
    return folder


@pytest.fixture(scope="module")
def real():
    folder = Path(os.environ.get("FACIALPALSY_ASSETS") or "nowhere")
    if not (folder / "ict_facekit.npz").is_file():
        pytest.skip("FACIALPALSY_ASSETS names no folder with ict_facekit.npz")
    return folder


def test_list_says_what_whose_how_large_and_where(cli):
    ran = cli("assets", "list")
    assert (ran.code, ran.err) == (0, "")
    for text in (
        "ict-facekit: ICT-FaceKit face model, for synthetic patients",
        "MIT, Copyright (c) 2020 USC Institute for Creative Technologies",
        "16,920,321 bytes",
        "cd3b85e5eb230da5ea72870d9b92191dbe62a03ac6a18e272518e45df6dda480",
        "no: run `facialpalsy assets install face-landmarker --from PATH`",
        "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    ):
        assert text in ran.out


def test_list_as_json(cli, home):
    home.mkdir(parents=True)
    (home / "ict_facekit.npz").write_bytes(b"half a file")
    model, landmarker, _ = json.loads(cli("assets", "list", "--json").out)
    assert (model["name"], model["installed"]) == ("ict-facekit", None)
    assert "'ict_facekit.npz'" in model["fault"]
    assert "damaged or another file" in model["fault"]
    assert (landmarker["size"], landmarker["installed"], landmarker["fault"]) == (3_758_596, None, None)


@pytest.mark.parametrize("name", ["ict-facekit", "face-landmarker", "dlib"])
def test_without_a_path_it_says_where_to_get_it(cli, name):
    ran = cli("assets", "install", name)
    assert (ran.code, ran.out) == (2, "")
    assert "nothing is downloaded" in ran.err
    assert f"`facialpalsy assets install {name} --from PATH`" in ran.err


def test_wrong_names_and_paths_are_usage(cli, tmp_path):
    assert cli("assets", "install", "ict-facekitt", "--from", tmp_path).code == 2
    assert cli("assets", "install", "ict-facekit", "--from", tmp_path / "nothing").code == 2


def test_what_is_no_archive_is_refused_and_nothing_is_stored(cli, tmp_path, home):
    path = tmp_path / "download.zip"
    path.write_bytes(b"<html>Not found</html>")
    ran = cli("assets", "install", "ict-facekit", "--from", path)
    assert ran.code == 1
    assert "AssetArchiveError: 'download.zip' is no whole zip archive" in ran.err
    ran = cli("assets", "install", "face-landmarker", "--from", path)
    assert ran.code == 1
    assert "AssetHashError: 'download.zip' is not the MediaPipe Face Landmarker" in ran.err
    assert not home.exists()


def test_the_real_model_is_installed_with_its_licence_shown_first(cli, real, home, monkeypatch):
    ran = cli("assets", "install", "ict-facekit", "--from", real / "ict_facekit.npz")
    assert (ran.code, ran.out) == (0, "")
    shown, _, stored = ran.err.partition("\nict_facekit.npz in ")
    assert "MIT, Copyright (c) 2020 USC" in shown
    assert "16,920,321 bytes" in shown
    assert "sha256 " in stored
    assert find_asset("ict-facekit") == home / "ict_facekit.npz"
    assert json.loads(cli("assets", "list", "--json").out)[0]["installed"]["folder"] == "the user's data folder"
    monkeypatch.setenv("FACIALPALSY_ASSETS", str(real))
    assert (
        "FACIALPALSY_ASSETS names comes first"
        in cli("assets", "install", "ict-facekit", "--from", real / "ict_facekit.npz").err
    )


def test_the_real_sample_is_no_whole_archive(cli, real):
    ran = cli("assets", "install", "ict-facekit", "--from", real / "ict_facekit_sample.zip")
    assert ran.code == 1
    assert "lacks 155 of the 158 OBJ files" in ran.err
    with pytest.raises(AssetNotInstalledError):
        find_asset("ict-facekit")


def test_the_real_model_changed_by_one_bit_is_refused(cli, real, tmp_path):
    path = tmp_path / "ict_facekit.npz"
    with zipfile.ZipFile(real / "ict_facekit.npz") as known, zipfile.ZipFile(path, "w") as changed:
        for name in known.namelist():
            data = bytearray(known.read(name))
            data[-2] ^= name == "E.npy"
            changed.writestr(name, bytes(data))
    ran = cli("assets", "install", "ict-facekit", "--from", path)
    assert ran.code == 1
    assert "AssetHashError: 'ict_facekit.npz' holds a face model, but not the known one: the sha256 of its array E" in (
        ran.err
    )
