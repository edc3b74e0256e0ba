"""Evaluate on the command line: the test people alone, beside the baselines, and nobody whom the model has seen."""

import csv

import pytest

pytest.importorskip("torch")

import torch

from facialpalsy.cli.exam_data import mark
from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets.splits import hold_out, write_split
from facialpalsy.models.checkpoint import save_checkpoint
from facialpalsy.models.registry import GraderSpec
from facialpalsy.preparation import read_prepared

from .prepared_people import write_people

SPEC = GraderSpec(
    image_size=32, patch_size=4, dim=16, heads=2, block_repeats=(2, 2, 2), dropout=0.0, position="face", hidden=16
)


def write_model(folder, seen):
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    save_checkpoint(folder / "best_model.safetensors", SPEC.network(), SPEC, {} if seen is None else {"seen": seen})
    return folder / "best_model.safetensors"


@pytest.fixture
def corpus(tmp_path, make_face, move):
    """30 people, their split, and a model of its training and validation people with random weights."""
    write_people(tmp_path / "data", make_face, move, 30)
    split = hold_out(read_prepared(tmp_path / "data"), (0.6, 0.2, 0.2))
    (fold,) = split.folds
    model = write_model(tmp_path / "model", sorted(map(mark, (*fold.train, *fold.val))))
    write_split(tmp_path / "model/split.json", split)
    return tmp_path / "data", model, fold


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_test_people_beside_the_baselines(cli, corpus, tmp_path):
    data, model, fold = corpus
    ran = cli("evaluate", model, "--data", data, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    rows = rows_of(tmp_path / "out/predictions.csv")
    assert {row["subject"] for row in rows} == set(fold.test)
    kinds = [(row["method"], row["unit"]) for row in rows]
    assert kinds.count(("network", "exam")) == kinds.count(("landmark baseline", "exam")) == len(fold.test)
    assert kinds.count(("network", "photo")) == 9 * len(fold.test)
    for row in rows:
        assert sum(float(row[f"p_{name}"]) for name in ("I", "II", "III", "IV", "V", "VI")) == pytest.approx(
            1, abs=1e-5
        )
    # The made-up movements are in proportion to the grade, which the measures read off without fail.
    landmarks = [row for row in rows if row["method"] == "landmark baseline"]
    assert all(abs(int(row["predicted"]) - int(row["grade"])) <= 1 for row in landmarks)
    affected = [row for row in landmarks if int(row["grade"]) > 2]
    assert all((float(row["p_left"]) > 0.5) == (row["side"] == "left") for row in affected)
    page = (tmp_path / "out/evaluation.md").read_text("utf-8")
    assert page in ran.out + "\n" and "| figure | n | network | landmark baseline | majority | identity |" in page
    figures = {(row["unit"], row["method"]) for row in rows_of(tmp_path / "out/evaluation.csv")}
    assert {("exam", "majority"), ("exam", "landmark baseline"), ("photo", "network, one photo")} <= figures


def test_people_whom_the_model_has_seen_are_refused(cli, corpus, tmp_path):
    data, model, _ = corpus
    other = tmp_path / "other.json"
    write_split(other, hold_out(read_prepared(data), (0.6, 0.2, 0.2), seed=1))
    ran = cli("evaluate", model, "--data", data, "--split", other, "--out", tmp_path / "out")
    assert ran.code == 1 and "would be known by heart" in ran.err
    assert not (tmp_path / "out/evaluation.md").exists()


def test_other_people_are_all_tested_and_no_baseline_is_made_up(cli, corpus, make_face, move, tmp_path):
    _, model, _ = corpus
    names = write_people(tmp_path / "new", make_face, move, 4, first=100)
    ran = cli("evaluate", model, "--data", tmp_path / "new", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert {row["subject"] for row in rows_of(tmp_path / "out/predictions.csv")} == set(names)
    assert "No landmark baseline: no split names people to fit it on." in ran.out


def test_rest_and_a_smile_are_no_exam(cli, make_face, move, tmp_path):
    model = write_model(tmp_path / "model", [])
    write_people(tmp_path / "data", make_face, move, 4, (Expression.REST, Expression.SMILE_OPEN))
    ran = cli("evaluate", model, "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    rows = rows_of(tmp_path / "out/predictions.csv")
    whole = [row for row in rows if row["unit"] == "exam"]
    assert all(
        row["predicted"] == "" and "no whole exam, which needs rest, brow_raise" in row["withheld"] for row in whole
    )
    assert len([row for row in rows if row["unit"] == "photo" and row["predicted"]]) == 8


def test_a_model_that_does_not_say_whom_it_saw_and_a_missing_one(cli, make_face, move, tmp_path):
    write_people(tmp_path / "data", make_face, move, 3)
    model = write_model(tmp_path / "model", None)
    ran = cli("evaluate", model, "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert ran.code == 1 and "does not say whom it was trained on" in ran.err
    ran = cli("evaluate", tmp_path / "no.safetensors", "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert ran.code == 1 and "CheckpointError: There are no weights" in ran.err
