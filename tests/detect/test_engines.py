"""Engines: known by name, opened by name, and refused with the next step where they are not installed."""

from importlib.util import find_spec

import pytest

from facialpalsy.detect import ENGINES, check_installed, find_engine, installed_engines, mediapipe, open_detector
from facialpalsy.errors import AssetHashError, AssetNotInstalledError, UsageError
from facialpalsy.weights import store

WITH_MEDIAPIPE = pytest.mark.skipif(find_spec("mediapipe") is None, reason="mediapipe is not installed (its extra)")


@pytest.fixture
def nothing_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("FACIALPALSY_ASSETS", str(tmp_path / "named"))
    monkeypatch.setattr(store, "user_folder", lambda: tmp_path / "own")
    (tmp_path / "named").mkdir()
    return tmp_path / "named"


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_bears_its_name_whether_or_not_it_is_installed(nothing_installed, name):
    assert find_engine(name).name == name


def test_the_default_needs_nothing(nothing_installed, monkeypatch):
    monkeypatch.setattr(mediapipe, "find_spec", lambda _: None)
    check_installed(ENGINES[0])
    assert [engine.name for engine in installed_engines()] == ["own"]


@pytest.mark.parametrize("name", ["mediapipe", "face-landmarker"])
@pytest.mark.parametrize("ask", [check_installed, open_detector])
def test_without_mediapipe_two_engines_say_what_brings_it(monkeypatch, ask, name):
    monkeypatch.setattr(mediapipe, "find_spec", lambda _: None)
    with pytest.raises(AssetNotInstalledError, match=r"pip install 'facialpalsy\[mediapipe\]'"):
        ask(name)
    assert not {"mediapipe", "face-landmarker"} & {engine.name for engine in installed_engines()}


@WITH_MEDIAPIPE
@pytest.mark.parametrize("ask", [check_installed, open_detector])
def test_what_is_not_installed_is_said_with_the_command(nothing_installed, ask):
    with pytest.raises(AssetNotInstalledError, match="`facialpalsy assets install face-landmarker --from PATH`"):
        ask("face-landmarker")


@WITH_MEDIAPIPE
@pytest.mark.parametrize("ask", [check_installed, open_detector])
def test_a_damaged_file_is_not_opened(nothing_installed, ask):
    (nothing_installed / "face_landmarker.task").write_bytes(b"PK")
    with pytest.raises(AssetHashError, match=r"'face_landmarker\.task' .* is damaged or another file"):
        ask("face-landmarker")
    assert [engine.name for engine in installed_engines()] == ["own", "mediapipe"]


@pytest.mark.parametrize("ask", [find_engine, check_installed, open_detector])
def test_an_unknown_name_is_told_the_nearest(ask):
    with pytest.raises(UsageError, match=r"'face-landmarks'. Did you mean 'face-landmarker'\?"):
        ask("face-landmarks")
