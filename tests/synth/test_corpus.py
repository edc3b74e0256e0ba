"""Corpus: what is written, that it is the same again, and that a stopped run goes on."""

import json

import numpy as np
import pytest
from PIL import Image

pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("numba")

from facialpalsy.clinical.expressions import Expression  # noqa: E402
from facialpalsy.datasets import read_corpus  # noqa: E402
from facialpalsy.errors import SyntheticPatientError  # noqa: E402
from facialpalsy.synth.corpus import TABLE, CorpusSettings, write_corpus  # noqa: E402
from facialpalsy.synth.truth import grade_from_labels  # noqa: E402

SETTINGS = CorpusSettings(patients=3, seed=5, setting="b", others=0.34)


@pytest.fixture(scope="module")
def corpus(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "synthetic"
    assert write_corpus(folder, SETTINGS) == 3 * len(Expression)
    return folder


def test_a_row_for_every_picture_with_its_files(corpus):
    rows = pq.read_table(corpus / TABLE).to_pylist()
    assert len(rows) == 27
    for row in rows:
        with Image.open(corpus / row["path"]) as picture, Image.open(corpus / row["zones"]) as zones:
            assert picture.size == zones.size == (256, 256)
            assert set(np.unique(zones)) <= set(range(9))
        assert len(row["points_x"]) == len(row["points_y"]) == len(row["points_visible"]) == 191
        assert row["mirrored"] == "no"
    assert {row["expression"] for row in rows} == {str(expression) for expression in Expression}
    assert not (corpus / "parts").exists()


def test_the_labels_alone_give_the_grade(corpus):
    rows = pq.read_table(corpus / TABLE).to_pylist()
    assert sum(row["grade"] is not None for row in rows) == 18
    for row in rows:
        assert grade_from_labels(row) == row["grade"]
        assert (row["grade"] is None) == bool(row["grade_reason"])


def test_the_datasheet_says_what_it_is_and_what_it_cannot_show(corpus):
    text = (corpus / "README.md").read_text("utf-8")
    for words in ("27 pictures", "3 people", "seed=5", "ICT-FaceKit (MIT", "unknown until it is measured on patients"):
        assert words in text


def test_the_corpus_is_read_as_samples(corpus):
    read = read_corpus(corpus, "synth")
    assert not read.problems
    assert {sample.subject for sample in read.samples} == {"b5-00000", "b5-00001", "b5-00002"}
    assert {sample.expression for sample in read.samples} == set(Expression)


def test_a_stopped_run_goes_on_and_two_processes_give_the_same(model, corpus, tmp_path):
    """Stopped after the second person: its part is there, the table is not."""
    seen = []

    def stop(done):
        seen.append(done)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_corpus(tmp_path / "again", SETTINGS, progress=stop)
    finished = tmp_path / "again/images/b5-00000/rest_1.jpg"
    kept = finished.stat().st_mtime_ns
    assert not (tmp_path / "again" / TABLE).exists()
    (tmp_path / "again/parts/000001.parquet").unlink()
    write_corpus(tmp_path / "again", SETTINGS, jobs=2, progress=seen.append)
    assert seen == [1, 2, 2, 3]
    assert finished.stat().st_mtime_ns == kept
    assert pq.read_table(tmp_path / "again" / TABLE).equals(pq.read_table(corpus / TABLE))
    for path in sorted(corpus.glob("*/*/*.*")):
        assert (tmp_path / "again" / path.relative_to(corpus)).read_bytes() == path.read_bytes()


def test_a_finished_corpus_is_left_as_it_is(corpus):
    before = (corpus / TABLE).stat().st_mtime_ns
    assert write_corpus(corpus, SETTINGS) == 27
    assert (corpus / TABLE).stat().st_mtime_ns == before


def test_another_corpus_is_not_mixed_in(corpus):
    with pytest.raises(SyntheticPatientError, match="other settings"):
        write_corpus(corpus, CorpusSettings(patients=3, seed=6))
    assert json.loads((corpus / "corpus.json").read_text())["seed"] == 5


def test_a_folder_with_something_else_is_refused(model, tmp_path):
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(SyntheticPatientError, match="not empty"):
        write_corpus(tmp_path, SETTINGS)


@pytest.mark.parametrize("wrong", [{"patients": 0}, {"takes": 0}, {"prevalence": (1.0, 2.0)}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(SyntheticPatientError, match="give"):
        CorpusSettings(**{"patients": 1, "seed": 0} | wrong)
