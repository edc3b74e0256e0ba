"""Explain on the command line: sheets, bars and report of a corpus; maps of a picture; wrong flags."""

import numpy as np
import pytest

pytest.importorskip("torch")

from PIL import Image

from facialpalsy.cli.explain import landmark_score
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import MEDIAPIPE478, Side, mirror_landmarks
from facialpalsy.measure import DEFINITIONS
from facialpalsy.preparation import Prepared

from .prepared_people import write_people
from .test_evaluate import write_model


@pytest.fixture
def model(tmp_path):
    return write_model(tmp_path / "model", [])


def numbers(report, heading):
    """Grade -> samples, mean, standard deviation, least and most, of one table of the report."""
    lines = report[report.index(heading) :].splitlines()[2:8]
    return {line.split()[0]: [float(cell) for cell in line.split()[1:]] for line in lines}


def test_a_prepared_corpus_gets_sheets_bars_and_a_report(cli, model, make_face, move, tmp_path):
    write_people(tmp_path / "data", make_face, move, 12)
    ran = cli("explain", model, tmp_path / "data", "--out", tmp_path / "out", "--num-samples", 7)
    assert ran.code == 0, ran.err
    names = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert names == {f"sample_{n}_visualization.png" for n in range(1, 8)} | {"asymmetry_analysis.png"}
    with Image.open(tmp_path / "out/sample_1_visualization.png") as sheet:
        assert sheet.size == (900, 990)  # nine panels: image, mask, overlay, five regions, asymmetry
    report = (tmp_path / "out/asymmetry_report.txt").read_text("utf-8")
    by_map, by_landmarks = numbers(report, "Model's asymmetry map"), numbers(report, "Landmark measures")
    assert list(by_map) == list(by_landmarks) == ["I", "II", "III", "IV", "V", "VI"]
    assert all(row[0] == 18 and 0 <= row[3] <= row[1] <= row[4] <= 1 for row in by_map.values())
    # Both sides of grade I move alike, and of each further grade one side less.
    assert by_landmarks["I"][1:] == pytest.approx([0, 0, 0, 0], abs=1e-4)
    means = [row[1] for row in by_landmarks.values()]
    assert means == sorted(means) and means[1] > 0


def test_each_grade_in_turn_gets_a_sheet(cli, model, make_face, move, tmp_path):
    write_people(tmp_path / "data", make_face, move, 6, (Expression.REST,))
    assert cli("explain", model, tmp_path / "data", "--out", tmp_path / "out", "--num-samples", 2).code == 0
    assert not (tmp_path / "out/sample_3_visualization.png").exists()
    report = (tmp_path / "out/asymmetry_report.txt").read_text("utf-8")
    assert [line.split()[3] for line in report.splitlines() if line.startswith("VI ")] == ["-", "-"]


def test_a_picture_and_an_exam_without_grades(cli, model, photos, tmp_path):
    exam = photos("rest.png", "smile_open.png")
    ran = cli("explain", model, exam, "--out", tmp_path / "exam")
    assert ran.code == 0, ran.err
    assert {path.name for path in (tmp_path / "exam").glob("*.png")} == {
        "sample_1_visualization.png", "sample_2_visualization.png"
    }  # fmt: skip
    assert "none" in (tmp_path / "exam/asymmetry_report.txt").read_text("utf-8")
    assert cli("explain", model, exam / "rest.png", "--out", tmp_path / "one").code == 0
    assert (tmp_path / "one/sample_1_visualization.png").is_file()


def test_what_is_not_there_and_what_has_no_face(cli, model, tmp_path):
    ran = cli("explain", model, tmp_path / "nowhere", "--out", tmp_path / "out")
    assert ran.code == 2 and "There is no 'nowhere'" in ran.err
    Image.fromarray(np.zeros((200, 200, 3), np.uint8)).save(tmp_path / "black.png")
    ran = cli("explain", model, tmp_path / "black.png", "--out", tmp_path / "out")
    assert ran.code == 1 and "No photo has a face that was found" in ran.err


def row_of(landmarks):
    points = landmarks.points.astype(np.float32)
    return Prepared("c", "1", "p", crops={300: None}, scheme="mediapipe478", points=points, points_size=300)


def test_the_landmark_score_by_hand(make_face, move):
    face = make_face(MEDIAPIPE478)
    lengths = [one for one in DEFINITIONS if one.unit == "iod" and not one.midline]
    assert landmark_score(row_of(face)) == pytest.approx(0, abs=1e-6)
    # One brow 10 pixels higher, of 100 between the outer canthi: only the brow over pupil and over canthi differ.
    lifted = move(face, "brow_upper", Side.LEFT, 0.0, -10.0)
    assert landmark_score(row_of(lifted)) == pytest.approx(0.2 / len(lengths), rel=1e-3)
    assert landmark_score(row_of(mirror_landmarks(lifted))) == pytest.approx(landmark_score(row_of(lifted)), rel=1e-4)


def test_without_points_there_is_no_landmark_score():
    assert landmark_score(Prepared("c", "1", "p")) is None
