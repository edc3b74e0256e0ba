"""Evaluate landmarks on the command line: points moved by a known amount, faces that are not found, and refusals."""

import csv
import math

import numpy as np
import pytest
from PIL import Image

from facialpalsy.cli import landmark_tables
from facialpalsy.detect import open_detector
from facialpalsy.errors import AssetNotInstalledError
from facialpalsy.evaluation.landmarks import SIDED
from facialpalsy.face import face_frame, mirror_picture

SHIFT = (3.0, 4.0)


@pytest.fixture
def two_engines(monkeypatch):
    """The default engine, and one that is not installed."""

    def check(name):
        if name == "dlib":
            raise AssetNotInstalledError("Nobody has brought its points.")

    monkeypatch.setattr(landmark_tables, "ENGINES", ("mediapipe", "dlib"))
    monkeypatch.setattr(landmark_tables, "check_installed", check)


def write_pts(path, points):
    """Points with (0, 0) at the corner of the first pixel, which a .pts file counts as half."""
    lines = "\n".join(f"{x!r} {y!r}" for x, y in (points + 0.5).tolist())
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n", "utf-8")


@pytest.fixture
def corpus(tmp_path, portrait):
    """Four people, the first and its mirror image, with points 5 px off those of the default engine."""
    detector, root = open_detector("mediapipe"), tmp_path / "AFLFP"
    pictures = {f"P{n}": np.asarray(portrait(x=3 * n)) for n in (1, 2, 3)}
    pictures["P1m"] = mirror_picture(pictures["P1"])
    for name, picture in pictures.items():
        (root / name).mkdir(parents=True)
        Image.fromarray(picture).save(root / name / "a.png")
        shift = SHIFT if name != "P1m" else (-SHIFT[0], SHIFT[1])
        write_pts(root / name / "a.pts", detector.detect(picture).landmarks.to_ibug68().points + shift)
    return root


@pytest.fixture
def evaluate(cli, tmp_path, two_engines):
    def run(root, *more):
        return cli("evaluate", "landmarks", "--data", root, "--out", tmp_path / "out", *more)

    return run


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return {row["subject"]: row for row in csv.DictReader(file)}


def test_the_nme_is_the_shift_and_the_sides_are_untouched(evaluate, corpus, portrait, tmp_path):
    ran = evaluate(corpus)
    assert ran.code == 0, ran.err
    rows = rows_of(tmp_path / "out/predictions.csv")
    assert set(rows) == {"P1", "P2", "P3", "P1m"}
    iod = face_frame(open_detector("mediapipe").detect(np.asarray(portrait(x=3))).landmarks).iod
    assert float(rows["P1"]["nme_inner"]) == pytest.approx(100 * math.hypot(*SHIFT) / iod, abs=1e-4)
    for row in rows.values():
        assert row["engine"] == "mediapipe"
        assert row["nme_inner"] == row["nme_all"]
        for name in SIDED:
            assert float(row[f"{name}_found"]) == pytest.approx(float(row[f"{name}_true"]), abs=2e-6)
    assert "| mediapipe | 4 of 4 | none |" in ran.out
    assert "- Not opened: dlib. AssetNotInstalledError: Nobody has brought its points." in ran.out
    assert "4 people, 4 photos" in ran.out
    assert "in the layout aflfp they are placed by hand" in ran.out
    figures = list(csv.DictReader((tmp_path / "out/evaluation.csv").open(encoding="utf-8")))
    assert (figures[0]["method"], figures[0]["figure"], figures[0]["people"]) == ("mediapipe", "nme_inner", "4")
    assert (tmp_path / "out/evaluation.md").read_text("utf-8").startswith("# Evaluation of landmarks\n")
    assert "NME of the 51 inner points, \\%" in (tmp_path / "out/evaluation.tex").read_text("utf-8")


def test_a_mirrored_picture_has_the_same_nme_and_exchanged_sides(evaluate, corpus, tmp_path):
    evaluate(corpus)
    rows = rows_of(tmp_path / "out/predictions.csv")
    one, twin = rows["P1"], rows["P1m"]
    assert float(twin["nme_inner"]) == pytest.approx(float(one["nme_inner"]), abs=1e-3)
    for name in SIDED:
        assert float(twin[f"{name}_found"]) == pytest.approx(-float(one[f"{name}_found"]), abs=1e-4)
        assert float(twin[f"{name}_true"]) == pytest.approx(-float(one[f"{name}_true"]), abs=1e-4)


def test_what_cannot_be_compared_is_counted_and_named(evaluate, corpus, tmp_path):
    points = (corpus / "P1/a.pts").read_text("utf-8")
    for name, picture in (("noface", np.full((200, 200, 3), 90, np.uint8)), ("bare", np.zeros((9, 9, 3), np.uint8))):
        (corpus / name).mkdir()
        Image.fromarray(picture).save(corpus / name / "a.png")
    (corpus / "noface/a.pts").write_text(points, "utf-8")
    (corpus / "P2/a.png").write_bytes(b"broken")
    write_pts(corpus / "P3/a.pts", np.full((68, 2), 5.0) + np.arange(68)[:, None] * 50)
    ran = evaluate(corpus)
    assert ran.code == 0, ran.err
    assert "5 photos of 5 people with points" in ran.out
    assert "1 picture without points left out: see `facialpalsy data check`." in ran.out
    assert "| mediapipe | 3 of 5 | 1 NoFaceError, 1 UnreadablePictureError |" in ran.out.replace(
        "1 UnreadablePictureError, 1 NoFaceError", "1 NoFaceError, 1 UnreadablePictureError"
    )
    assert "- Points of 1 photo left out, the first 'P3/a.png', LandmarkFileError: Points of 'P3/a.png' lie" in ran.out
    assert "2 people, 2 photos" in ran.out
    rows = rows_of(tmp_path / "out/predictions.csv")
    assert {name: row["failure"] for name, row in rows.items()} == {
        "P1": "", "P1m": "", "P2": "UnreadablePictureError", "P3": "points cannot be used", "noface": "NoFaceError",
    }  # fmt: skip
    assert rows["noface"]["nme_inner"] == rows["P3"]["nme_inner"] == ""


def test_one_person_has_figures_without_an_interval(evaluate, corpus):
    ran = evaluate(corpus, "--subject-from", "(AFLFP|a)[.]png")
    assert ran.code == 0, ran.err
    assert "1 person, 4 photos, those of a person averaged first. One person gives no interval." in ran.out


def test_where_no_engine_finds_a_face_there_is_no_table(evaluate, corpus, tmp_path):
    for path in corpus.glob("*/a.png"):
        Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(path)
    ran = evaluate(corpus)
    assert ran.code == 1
    assert "NoFaceError: Of 4 photos there is none" in ran.err
    assert "mediapipe 0 of 4" in ran.err
    assert not (tmp_path / "out/evaluation.md").exists()


def test_a_corpus_without_points_says_what_has_some(evaluate, corpus, tmp_path):
    (tmp_path / "table").mkdir()
    (corpus / "P1/a.png").rename(tmp_path / "table/a.png")
    (tmp_path / "table/table.csv").write_text("image_path,subject\na.png,p1\n", "utf-8")
    ran = evaluate(tmp_path / "table", "--layout", "csv")
    assert ran.code == 1
    assert "CorpusError: None of the 1 picture of 'table' has points" in ran.err
    assert "the layout csv never brings any. Give a corpus in one of the layouts synth, ckplus, neuroface" in ran.err
    assert "--layout aflfp" in ran.err
    for path in corpus.glob("*/a.pts"):
        write_pts(path, np.zeros((5, 2)))
    assert "the layout aflfp has none here" in evaluate(corpus, "--layout", "aflfp").err


def test_landmarks_stand_alone(cli, evaluate, corpus, tmp_path):
    ran = cli("evaluate", "landmarks", "grader", "--data", corpus, "--out", tmp_path / "out")
    assert ran.code == 2
    assert "landmarks stands for every landmark engine and cannot be compared with a model" in ran.err
    assert evaluate(corpus, "--choose").code == evaluate(corpus, "--split", "s.json").code == 2
    assert "landmarks takes no --split and no --choose" in evaluate(corpus, "--choose", "--split", "s.json").err
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared/prepared.parquet").touch()
    ran = evaluate(tmp_path / "prepared")
    assert ran.code == 2
    assert "'prepared' is a prepared folder" in ran.err
    ran = cli("evaluate", "landmarks", "--data", corpus, "--out", corpus / "out")
    assert ran.code == 2
    assert "lies in the corpus" in ran.err
    assert not (corpus / "out").exists()
