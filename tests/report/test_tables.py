"""Tables: rows, units, spreadsheets' formulas."""

from __future__ import annotations

import csv

import pytest

from facialpalsy.assessment import Asymmetry, Exam, Quality
from facialpalsy.report import MEASURE_COLUMNS, measures_rows, write_csv, write_exams_csv, write_measures_csv


def _read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_measure_has_a_row_in_its_unit_and_one_in_mm_where_there_is_a_scale(assessment):
    rows = list(measures_rows("p1", assessment()))
    assert [(row["measure"], row["unit"]) for row in rows] == [
        ("brow_height", "iod"),
        ("brow_height", "mm"),
        ("mrd1", "iod"),
        ("commissure_height", "iod"),
        ("commissure_height", "mm"),
        ("smile_angle", "deg"),
        ("philtrum_deviation", "iod"),
        ("philtrum_deviation", "mm"),
    ]
    assert all(tuple(row) == MEASURE_COLUMNS for row in rows)


def test_a_row_in_mm_has_everything_in_mm_at_80_mm_per_iod(assessment):
    row = list(measures_rows("p1", assessment()))[1]
    assert (row["left"], row["right"]) == pytest.approx((24.0, 22.4))
    assert (row["difference"], row["noise"]) == pytest.approx((1.6, 0.16))
    assert (row["limit_low"], row["limit_high"], row["z"]) == pytest.approx((-0.8, 0.8, 3.92))


def test_a_midline_measure_has_a_difference_and_no_sides(assessment):
    row = list(measures_rows("p1", assessment()))[-1]
    assert (row["left"], row["right"], row["difference"]) == (None, None, -1.0)
    assert row["withheld"].startswith("noise: one set of points has no repeat error; z: 'demo' has no")


def test_every_row_says_which_result_it_is_of_and_how_far_its_capture_is_to_be_trusted(assessment, capture, tmp_path):
    turned = capture(quality=Quality(usable=False, reasons=("turned",)))
    write_measures_csv(tmp_path / "m.csv", {"a": assessment(), "b/c": assessment(turned)})
    rows = _read(tmp_path / "m.csv")
    assert next(iter(rows[0])) == "name"
    assert [row["name"] for row in rows] == ["a"] * 8 + ["b/c"] * 8
    assert {(row["yaw"], row["pitch"], row["roll"]) for row in rows} == {("-1.5", "12", "0.2")}
    assert [row["usable"] for row in rows] == ["True"] * 8 + ["False"] * 8


def test_a_zero_has_no_sign(tmp_path):
    write_csv(tmp_path / "z.csv", ["a", "b"], [{"a": -0.0, "b": -0.5}])
    assert _read(tmp_path / "z.csv") == [{"a": "0", "b": "-0.5"}]


def test_names_come_back_as_they_were_written_and_numbers_stay_negative(assessment, capture, tmp_path):
    name = 'a, "b"\nfamilie Åß 患者.jpg'
    write_measures_csv(tmp_path / "m.csv", {"p1": assessment(capture(source=name))})
    rows = _read(tmp_path / "m.csv")
    assert {row["source"] for row in rows} == {name}
    assert float(rows[4]["left"]) == -0.8
    assert rows[2]["left"] == ""


@pytest.mark.parametrize("name", ["=1+1.jpg", "+x.jpg", "-x.jpg", "@x.jpg", "\t=x.jpg", "\r=x.jpg"])
def test_no_text_can_run_as_a_formula(assessment, capture, tmp_path, name):
    exam = Exam(subject=name)
    write_measures_csv(tmp_path / "m.csv", {"p1": assessment(capture(source=name))})
    write_exams_csv(tmp_path / "e.csv", {"p1": assessment(exam=exam)})
    assert _read(tmp_path / "m.csv")[0]["source"] == f"'{name}"
    assert _read(tmp_path / "e.csv")[0]["subject"] == f"'{name}"


def test_an_exam_is_one_row_with_sorted_columns(assessment, tmp_path):
    write_exams_csv(tmp_path / "e.csv", {"p1": assessment(), "p2": assessment(movements=(), scales={})})
    first, second = _read(tmp_path / "e.csv")
    assert tuple(first)[:10] == (
        *(
            "name",
            "source",
            "subject",
            "date",
            "phase",
            "surgery",
            "reference_side",
            "side_frame",
            "complete",
            "missing",
        ),
    )
    assert list(first)[10:] == sorted(list(first)[10:])
    assert (first["name"], first["source"], first["complete"]) == ("p1", "p1", "False")
    assert first["missing"] == "snarl: not taken; pucker: not taken"
    assert second["name"] == "p2"
    assert [first[f"fngs2.{name}"] for name in ("estimate", "low", "high", "withheld")] == ["", "2", "3", ""]
    assert [first[f"sunnybrook.{name}"] for name in ("estimate", "low", "high")] == ["63", "63", "63"]
    assert first["house_brackmann.withheld"] == "the exam is not complete"
    assert [first[f"smile_open.commissure_excursion.{name}"] for name in ("left", "right", "ratio")] == [
        "0.1",
        "0.04",
        "0.4",
    ]
    assert first["brow_raise.brow_elevation.left"] == ""
    assert first["rest.asymmetry.mouth"] == "2.5"
    assert second["smile_open.commissure_excursion.left"] == second["sunnybrook.estimate"] == ""
    assert "eface.low" in second


def test_asymmetry_at_rest_comes_from_a_usable_rest_capture_only(assessment, capture, tmp_path):
    turned = capture(quality=Quality(usable=False, reasons=("turned",)))
    smile = capture(expression="smile_open", asymmetry={"mouth": Asymmetry(9.0, 1.0)})
    write_exams_csv(tmp_path / "e.csv", {"p1": assessment(turned, smile)})
    assert _read(tmp_path / "e.csv")[0]["rest.asymmetry.mouth"] == ""


def test_a_failing_source_of_rows_leaves_the_old_file(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("old")

    def broken():
        yield {"a": 1.0}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_csv(path, ["a"], broken())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
