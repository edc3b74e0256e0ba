"""Synth: the command writes a corpus, and says in one sentence what is wrong."""

import pytest

pq = pytest.importorskip("pyarrow.parquet")

from facialpalsy.cli.main import main  # noqa: E402
from facialpalsy.errors import AssetNotInstalledError  # noqa: E402


@pytest.fixture
def installed():
    pytest.importorskip("numba")
    from facialpalsy.synth.face_model import face_model

    try:
        face_model()
    except AssetNotInstalledError as reason:
        pytest.skip(f"needs the face model: {reason}")


def test_one_patient(installed, tmp_path, capsys):
    out = tmp_path / "corpus"
    assert (
        main(["synth", str(out), "--patients", "1", "--seed", "4", "--prevalence", "0,0,0,0,0,1", "--others", "0"]) == 0
    )
    assert "9 pictures" in capsys.readouterr().err
    table = pq.read_table(out / "labels.parquet").to_pylist()
    assert {row["grade"] for row in table} == {6}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--setting", "d"], "allowed are a, b and c"),
        (["--prevalence", "1,2"], "six"),
        (["--prevalence", "a,b,c,d,e,f"], "six numbers"),
        (["--prevalence", "0,0,0,0,0,0"], "at least one grade a weight"),
        (["--prevalence", "-1,0,0,0,0,1"], "give a number from 0"),
        (["--others", "1.5"], "from 0 to 1"),
        (["--patients", "0"], "at least one"),
        (["--takes", "0"], "at least one"),
    ],
)
def test_a_wrong_value_is_one_sentence(installed, tmp_path, capsys, options, words):
    assert main(["synth", str(tmp_path / "corpus"), *options]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "corpus").exists()


def test_without_the_face_model_the_command_to_install_it_is_given(tmp_path, capsys, monkeypatch):
    pytest.importorskip("numba")
    from facialpalsy.synth import face_model

    face_model.face_model.cache_clear()
    monkeypatch.setenv("FACIALPALSY_ASSETS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert main(["synth", str(tmp_path / "corpus"), "--patients", "1"]) == 1
    assert "facialpalsy assets install ict-facekit" in capsys.readouterr().err
    face_model.face_model.cache_clear()


def test_a_folder_with_something_else_is_left_alone(installed, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["synth", str(tmp_path), "--patients", "1"]) == 2
    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
