"""Request: where landmarks come from, by one word."""

from pathlib import Path

import pytest

from facialpalsy.analysis.request import Settings, landmark_source
from facialpalsy.errors import AssetNotInstalledError, InputNotFoundError, UsageError
from facialpalsy.weights import store


def test_a_name_is_an_engine_and_a_path_is_a_file_or_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mediapipe").mkdir()
    assert landmark_source("mediapipe") == ("mediapipe", None)
    assert landmark_source("./mediapipe") == ("own", Path("mediapipe"))
    assert landmark_source(Path("mediapipe")) == ("own", Path("mediapipe"))


def test_an_engine_that_is_not_installed_is_refused_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.delenv("FACIALPALSY_ASSETS", raising=False)
    monkeypatch.setattr(store, "user_folder", lambda: tmp_path)
    with pytest.raises(AssetNotInstalledError, match="`facialpalsy assets install face-landmarker --from PATH`"):
        landmark_source("face-landmarker")


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ("face-landmark", UsageError, "Did you mean 'face-landmarker'"),
        ("Mediapipe", UsageError, "Did you mean 'mediapipe'"),
        (Path("nowhere"), UsageError, "A landmark file or a folder of them is allowed too"),
        ("none.pts", InputNotFoundError, r"The landmark file 'none\.pts' does not exist"),
    ],
)
def test_neither_an_engine_nor_a_path_is_told_what_is_allowed(tmp_path, monkeypatch, given, kind, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=words):
        landmark_source(given)


def test_settings_have_an_engine_that_exists():
    assert Settings().engine == "own"
    with pytest.raises(UsageError, match="Unknown landmark engine 'dlibs'"):
        Settings(engine="dlibs")
