"""Evaluate on the command line: the test people alone, beside the baselines, and nobody whom the model has seen."""

import csv
from dataclasses import replace

import pytest

pytest.importorskip("torch")

import torch

from facialpalsy.cli.exam_data import mark
from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets.splits import hold_out, write_split
from facialpalsy.models.checkpoint import save_checkpoint
from facialpalsy.models.registry import GraderSpec
from facialpalsy.models.vit import PRESETS as RECOGNISERS
from facialpalsy.models.vitau import PRESETS as REGIONS
from facialpalsy.preparation import read_prepared

from .prepared_people import write_people

SPEC = GraderSpec(
    image_size=32, patch_size=4, dim=16, heads=2, block_repeats=(2, 2, 2), dropout=0.0, position="face", hidden=16
)


NAME = "model/best_model.safetensors"


def write_model(folder, seen, spec=SPEC, seed=0, **about):
    folder.mkdir(exist_ok=True)
    torch.manual_seed(seed)
    said = {**about, **({} if seen is None else {"seen": seen})}
    save_checkpoint(folder / "best_model.safetensors", spec.network(), spec, said)
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
    assert kinds.count((NAME, "exam")) == kinds.count(("landmark baseline", "exam")) == len(fold.test)
    assert kinds.count((NAME, "photo")) == 9 * len(fold.test)
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
    assert page in ran.out + "\n" and f"| figure | n | {NAME} | landmark baseline | majority | identity |" in page
    figures = {(row["unit"], row["method"]) for row in rows_of(tmp_path / "out/evaluation.csv")}
    assert {("exam", "majority"), ("exam", "landmark baseline"), ("photo", f"{NAME}, one photo")} <= figures


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


def test_two_recognisers_are_compared_on_the_same_people(cli, corpus, tmp_path):
    data, grader, fold = corpus
    spec = replace(RECOGNISERS["tiny"], image_size=32, dim=16, hidden=8)
    seen = sorted(map(mark, (*fold.train, *fold.val)))
    decision = {"validation": {"decision": {"picture": [2.0, 0.1], "points": [1.0, 0.0], "threshold": 0.3}}}
    one = write_model(tmp_path / "one", seen, spec, **decision)
    other = write_model(tmp_path / "other", seen, spec, seed=1)
    split = grader.parent / "split.json"
    ran = cli("evaluate", one, other, "--data", data, "--split", split, "--choose", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    rows = rows_of(tmp_path / "out/predictions.csv")
    assert {row["subject"] for row in rows} == set(fold.test) and {row["question"] for row in rows} == {"palsy"}
    first = [row for row in rows if row["method"] == "one/best_model.safetensors"]
    assert {row["threshold"] for row in first} == {"0.3"} and len(first) == 10 * len(fold.test)
    assert all(row["answer"] == str(int(float(row["probability"]) >= 0.3)) for row in first)
    page = (tmp_path / "out/evaluation.md").read_text("utf-8")
    assert "one/best_model.safetensors minus other/best_model.safetensors, by person:" in page
    assert "one/best_model.safetensors, thresholds chosen here" in page and "| majority | identity |" in page
    assert "\\begin{tabular}" in (tmp_path / "out/evaluation.tex").read_text("utf-8")


def test_a_region_network_is_asked_about_each_unit_and_side(cli, corpus, tmp_path):
    data, grader, fold = corpus
    seen = sorted(map(mark, (*fold.train, *fold.val)))
    model = write_model(tmp_path / "regions", seen, REGIONS["tiny"], validation={"thresholds": {"AU12": 0.7}})
    split = grader.parent / "split.json"
    ran = cli("evaluate", model, "--data", data, "--split", split, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    rows = rows_of(tmp_path / "out/predictions.csv")
    assert len(rows) == 26 * len(fold.test) and {row["unit"] for row in rows} == {"exam"}
    of = [row for row in rows if row["question"] == "AU12 left"]
    assert {row["threshold"] for row in of} == {"0.7"}
    truths = {row["subject"]: row["truth"] for row in of}
    # Person 9 has grade IV on the left, person 8 grade III on the right.
    assert all(
        truths[name] == str(int(number % 2 == 1 and number % 6 > 1))
        for name in truths
        for number in [int(name.removeprefix("person"))]
    )
    assert "| AU12 left |" in ran.out


def test_models_of_two_kinds_are_refused(cli, corpus, tmp_path):
    data, model, _ = corpus
    other = write_model(tmp_path / "regions", [], REGIONS["tiny"])
    ran = cli("evaluate", model, other, "--data", data, "--out", tmp_path / "out")
    assert ran.code == 2 and "kinds grader, regions; one table compares models of one kind" in ran.err


def test_a_shipped_network_is_asked_by_its_name(cli, make_face, move, stand_in_recognition, tmp_path):
    stand_in_recognition(0.7)
    write_people(tmp_path / "data", make_face, move, 6)
    ran = cli("evaluate", "recogniser", "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    rows = [row for row in rows_of(tmp_path / "out/predictions.csv") if row["unit"] == "exam"]
    assert {(row["probability"], row["threshold"], row["answer"]) for row in rows} == {("0.7", "0.4", "1")}
