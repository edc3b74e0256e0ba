"""Printing: a table that can be read, with every reason beside what is not defined."""

import pytest

from facialpalsy.errors import UsageError
from facialpalsy.evaluation.bootstrap import Estimate
from facialpalsy.evaluation.figures import FIGURES
from facialpalsy.evaluation.grading import grade_table
from facialpalsy.evaluation.printing import csv_rows, markdown, words
from facialpalsy.face import Side


@pytest.fixture
def table(exam_grade):
    exams = [
        exam_grade("a", "1", 1, 1),
        exam_grade("b", "1", 3, 3, Side.LEFT, 0.6),
        exam_grade("c", "1", 5, 4, Side.RIGHT, 0.7),
        exam_grade("d", "1", 6, None),
    ]
    return grade_table(exams, [(3, Side.LEFT)])


def test_words_of_an_estimate():
    assert words(Estimate(0.871, 0.825, 0.9134), percent=True) == "87.1 % (82.5 to 91.3)"
    assert words(Estimate(0.871, 0.825, 0.9134)) == "0.871 (0.825 to 0.913)"
    assert words(Estimate(1.0, reason="one person"), percent=True) == "100.0 %"
    assert words(Estimate(None, reason="nobody smiled")) == "not defined: nobody smiled"


def test_every_figure_has_a_row_and_every_method_a_column(table):
    lines = markdown({"network": table, "landmarks": table}).splitlines()
    assert lines[0].startswith("4 people, 4 exams, 8 photos.")
    assert lines[2] == "| figure | n | network | landmarks | majority | identity |"
    rows = [line.split(" | ") for line in lines if any(line.startswith(f"| {one.title} |") for one in FIGURES.values())]
    assert len(rows) == len(FIGURES)
    assert {len(row) for row in rows} == {6}
    # Two of three are exact, whichever people are drawn; the third is one grade off.
    exact = next(row for row in rows if row[0] == "| Exact grade")
    assert exact[1] == "3"
    assert exact[2].startswith("66.7 % (")
    assert exact[4].startswith("33.3 % (")


def test_reasons_and_what_was_withheld_stand_below(table):
    text = markdown({"network": table})
    assert "not defined [" in text
    assert "The person has no other exam." in text
    assert "network gave no grade 1 times: one photo is no exam" in text
    assert "No exam of grade II, IV, VI for network" in text


def test_the_confusion_table_has_truth_in_rows(table):
    assert "| V | 0 | 0 | 0 | 1 | 0 | 0 |" in markdown({"network": table})


def test_csv_rows_hold_every_method_and_figure_once(table):
    rows = csv_rows({"network": table})
    assert len({(row["method"], row["figure"]) for row in rows}) == len(rows) == 3 * len(FIGURES)
    mae = next(row for row in rows if (row["method"], row["figure"]) == ("network", "mae"))
    assert (mae["value"], mae["rows"], mae["people"]) == (pytest.approx(1 / 3), 3, 3)


def test_methods_of_other_exams_do_not_share_a_table(table, exam_grade):
    other = grade_table([exam_grade("z", "1", 1, 1)])
    with pytest.raises(UsageError, match="same exams"):
        markdown({"network": table, "other": other})
    with pytest.raises(UsageError, match="same exams"):
        csv_rows({})
