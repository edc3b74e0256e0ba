"""`facialpalsy data check`: counts, faults and exit codes."""

import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def table(tmp_path):
    """A table of three pictures of two people, with the rows that are given instead."""

    def write(*rows: str):
        root = tmp_path / "set"
        root.mkdir(exist_ok=True)
        for number in range(3):
            coarse = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC).save(root / f"{number}.png")
        lines = rows or ("0.png,p1,3", "1.png,p1,3", "2.png,p2,IV")
        (root / "all.csv").write_text("image_path,subject,grade\n" + "\n".join(lines))
        return root

    return write


def test_a_sound_corpus_is_counted_and_ends_with_0(cli, table):
    ran = cli("data", "check", table(), "--layout", "csv")
    assert ran.code == 0
    assert "2 people, 3 pictures" in ran.out
    assert "Faults: none" in ran.out
    assert ran.err == ""


def test_without_a_layout_it_is_recognised_and_said(cli, table):
    ran = cli("data", "check", table() / "all.csv")
    assert (ran.code, ran.err) == (0, "It looks like csv.\n")


def test_a_fault_ends_with_1_and_is_told_by_its_line(cli, table):
    ran = cli("data", "check", table("0.png,p1,7", "9.png,p1,3"), "--layout", "csv")
    assert ran.code == 1
    assert "impossible value (1)\n    all.csv: Line 2: The grade is '7'" in ran.out
    assert "label without image (1)\n    all.csv: Line 3" in ran.out


def test_json_holds_everything_and_no_path_of_the_machine(cli, table, tmp_path):
    root = table("0.png,p1,7", "1.png,p2,2")
    ran = cli("data", "check", root, "--layout", "csv", "--json")
    data = json.loads(ran.out)
    assert (ran.code, data["layout"], data["people"], data["faults"]) == (1, "csv", 2, 1)
    assert data["counts"]["grade"] == {"2": {"people": 1, "samples": 1}, "not given": {"people": 1, "samples": 1}}
    assert data["problems"][0]["kind"] == "impossible value"
    assert str(tmp_path) not in ran.out


def test_labels_and_people_are_joined(cli, table, tmp_path):
    (tmp_path / "labels.csv").write_text("subject,capture,scale,item,value,rater\nX,,house_brackmann,grade,V,AB\n")
    (tmp_path / "people.csv").write_text("folder,person\np1,X\np2,X\n")
    arguments = ("--labels", tmp_path / "labels.csv", "--people", tmp_path / "people.csv", "--json")
    data = json.loads(cli("data", "check", table("0.png,p1,", "2.png,p2,"), *arguments).out)
    assert data["people"] == 1
    assert data["counts"]["grade"] == {"5": {"people": 1, "samples": 2}}


def test_zero_based_grades_and_rules_reach_the_table(cli, tmp_path, table):
    root = table()
    (tmp_path / "list.csv").write_text("image_path,grade\n0.png,0\n1.png,5\n")
    options = ("--data-root", root, "--subject-from", r"^(\d)\.", "--grades-from-zero", "--json")
    data = json.loads(cli("data", "check", tmp_path / "list.csv", *options).out)
    assert (data["people"], set(data["counts"]["grade"])) == (2, {"1", "6"})


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere",), 2, "There is no 'nowhere'"),
        ((".", "--layout", "YFP2"), 2, "Unknown layout"),
        ((".", "--layout", "yfp"), 1, "WrongLayoutError"),
        (("set", "--layout", "csv", "--subject-from", "("), 2, "--subject-from"),
        (("set", "--labels", "none.csv"), 2, "'none.csv'"),
    ],
)
def test_a_wrong_value_is_one_sentence(cli, table, tmp_path, monkeypatch, arguments, code, words):
    table()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty" if arguments[0] == "." else tmp_path)
    ran = cli("data", "check", *arguments)
    assert ran.code == code
    assert words in ran.err
    assert ran.out == ""
