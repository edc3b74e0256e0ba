"""Usage: a wrong value is exit 2 with one sentence, a missing input exit 1, and help is documentation."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from facialpalsy.cli.main import app
from facialpalsy.errors import OutputError
from facialpalsy.weights import store


def is_one_sentence(ran, *words):
    lines = ran.err.strip().splitlines()
    assert len(lines) == 1, ran.err
    assert lines[0].startswith("facialpalsy: ")
    assert "Traceback" not in ran.err
    assert ran.out == ""
    for word in words:
        assert word in lines[0]
    return True


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["analyze", "a.png"], ["--out FOLDER", "--json -"]),
        (["analyze"], ["PATH"]),
        (["analyze", "a.png", "--out", "o", "--expression", "smile_opne"], ["Did you mean 'smile_open'"]),
        (["analyze", "a.png", "--out", "o", "--order", "meie"], ["Did you mean 'meei'"]),
        (["analyze", "a.png", "--out", "o", "--mirrored", "perhaps"], ["perhaps", "unknown"]),
        (["analyze", "a.png", "--out", "o", "--reference-side", "lefft"], ["lefft", "both"]),
        (["analyze", "a.png", "--out", "o", "--landmarks", "mediapip"], ["Did you mean 'mediapipe'"]),
        (["analyze", "a.png", "--out", "o", "--landmarks", "landmarker"], ["Did you mean 'face-landmarker'"]),
        (["norms", "fit", "x", "--landmarks", "mediapip"], ["Did you mean 'mediapipe'"]),
        (["analyze", "a.png", "--out", "o", "--iris-mm", "50"], ["50", "5 to 20 mm"]),
        (["analyze", "a.png", "--out", "o", "--iris-mm", "wide"], ["--iris-mm", "number"]),
        (["analyze", "a.png", "--out", "o", "--every", "0"], ["--every", "above 0"]),
        (["analyze", "a.png", "--out", "o", "--max-megapixels", "0"], ["above 0"]),
        (["analyze", "a.png", "--out", "o", "--jobs", "0"], ["--jobs", "1"]),
        (["analyze", "a.png", "--out", "o", "--outt", "x"], ["--outt"]),
        (["analyse", "a.png"], ["analyse"]),
        (["norms", "fitt", "x"], ["fitt"]),
        (["simulate", "a.png", "--severity", "0.5"], ["--side"]),
        (["simulate", "a.png", "--side", "up"], ["up"]),
        (["simulate", "a.png", "--side", "left", "--severity", "half"], ["--severity", "number"]),
        (["info", "--jason"], ["--jason"]),
    ],
)
def test_a_wrong_value_is_one_sentence_and_exit_2(cli, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    ran = cli(*arguments)
    assert ran.code == 2
    assert is_one_sentence(ran, *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--norms", "none.json"], ["'none.json'", "--norms"]),
        (["--landmarks", "none.pts"], ["'none.pts'", "--landmarks"]),
        (["--ratings", "none.csv"], ["'none.csv'", "--ratings"]),
    ],
)
def test_a_missing_file_of_an_option_stops_before_anything_is_read(cli, tmp_path, option, words):
    ran = cli("analyze", "a.png", "--out", tmp_path / "o", *(option[0], tmp_path / option[1]))
    assert ran.code == 2
    assert is_one_sentence(ran, *words)
    assert str(tmp_path) not in ran.err


def test_a_missing_input_is_a_failure_with_its_name(cli, tmp_path):
    ran = cli("analyze", tmp_path / "none.png", "--out", tmp_path / "o")
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "'none.png': InputNotFoundError: There is no file or folder 'none.png'; check the path.",
        "0 results, 1 failure in o/.",
    ]


def test_an_empty_folder_is_a_failure(cli, tmp_path):
    (tmp_path / "in").mkdir()
    ran = cli("analyze", tmp_path / "in", "--out", tmp_path / "o")
    assert ran.code == 1
    assert "EmptyFolderError: The folder 'in' holds no picture and no clip" in ran.err
    assert (tmp_path / "o" / "failures.csv").is_file()


@pytest.mark.parametrize("command", [[], ["norms"]])
def test_without_arguments_there_is_help(cli, command):
    ran = cli(*command)
    assert (ran.code, ran.err) == (0, "")
    assert "Usage" in ran.out


def test_the_version_is_that_of_the_package(cli):
    assert cli("--version") == (0, f"facialpalsy {version('facialpalsy')}\n", "")


@pytest.mark.parametrize("command", [["analyze"], ["simulate"], ["info"], ["norms"], ["norms", "fit"]])
def test_help_explains_every_option(cli, command):
    ran = cli(*command, "--help")
    assert ran.code == 0
    assert "Usage" in ran.out
    found = typer.main.get_command(app)
    for name in command:
        found = found.commands[name]
    for parameter in found.params:
        assert parameter.help, parameter.name


def test_the_main_help_names_every_command_and_what_it_is_not(cli):
    ran = cli("--help")
    assert ran.code == 0
    for word in ("analyze", "simulate", "norms", "info", "not a medical device"):
        assert word in ran.out


@pytest.mark.parametrize("place", ["file/o", "/proc/facialpalsy", "/proc/version/o"])
def test_an_output_that_cannot_be_written_is_one_sentence(cli, photos, tmp_path, place):
    root = photos("a.png")
    (tmp_path / "file").write_text("here")
    ran = cli("analyze", root, "--out", tmp_path / place)
    assert ran.code == 1
    assert is_one_sentence(ran, OutputError.__name__, "Cannot write", "another --out folder")
    assert str(tmp_path) not in ran.err
    assert (tmp_path / "file").read_text() == "here"


def test_a_json_file_that_cannot_be_written_is_one_sentence_after_the_results(cli, photos, tmp_path):
    ran = cli("analyze", photos("a.png"), "--json", tmp_path / "none" / "a.json", "--out", tmp_path / "o")
    assert ran.code == 1
    assert "facialpalsy: OutputError: Cannot write 'a.json'" in ran.err
    assert (tmp_path / "o" / "assessment.json").is_file()


@pytest.mark.parametrize("target", [">/dev/full", ">&-"])
def test_a_pipe_that_takes_nothing_is_one_sentence(photos, target):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    command = f'"$0" -m facialpalsy analyze "$1" --json - {target}'
    face = photos("a.png") / "a.png"
    ran = subprocess.run(
        ["bash", "-c", command, sys.executable, face], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("facialpalsy: OutputError: Cannot write to standard output")
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [["analyze", "a.png", "--out", "o"], ["norms", "fit", "controls"]])
def test_an_engine_that_is_not_installed_is_one_sentence_before_anything_is_done(cli, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FACIALPALSY_ASSETS", raising=False)
    monkeypatch.setattr(store, "user_folder", lambda: tmp_path / "data")
    ran = cli(*command, "--landmarks", "face-landmarker")
    assert ran.code == 1
    assert is_one_sentence(ran, "AssetNotInstalledError", "`facialpalsy assets install face-landmarker --from PATH`")
    assert list(tmp_path.iterdir()) == []
