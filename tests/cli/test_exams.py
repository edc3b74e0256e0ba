"""Exams: folders of exams as tables, and dated exams of one subject side by side."""

import csv
import json

import pytest


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def exams(photos):
    """A folder of exams: two dated ones of P7, the later first by name, one of P8, and one without a table."""

    def make():
        root = photos(*(f"{exam}/{name}.png" for exam in ("b", "c", "d", "e") for name in ("rest", "snarl")))
        for exam, subject, date in (("b", "P7", "2026-03-01"), ("c", "P7", "2026-01-01"), ("d", "P8", "2026-02-01")):
            (root / exam / "exam.csv").write_text(
                "file,expression,mirrored,subject,date,reference_side\n"
                f"rest.png,rest,no,{subject},{date},left\nsnarl.png,snarl,no,,,\n"
            )
        return root

    return make


def test_a_folder_of_exams_gives_one_row_each(cli, exams, tmp_path, no_report):
    ran = cli("analyze", exams(), "--out", tmp_path / "o")
    assert (ran.code, ran.err.splitlines()[-1]) == (0, "4 results in o/. Open index.html there.")
    table = rows(tmp_path / "o" / "exams.csv")
    assert [(one["subject"], one["date"]) for one in table] == [
        ("P7", "2026-03-01"), ("P7", "2026-01-01"), ("P8", "2026-02-01"), ("", ""),
    ]  # fmt: skip
    assert [one["source"] for one in table] == ["b", "c", "d", "e"]
    assert {one["complete"] for one in table} == {"False"}
    assert "brow_raise: not taken" in table[0]["missing"]
    assert table[0]["house_brackmann.withheld"].startswith("House-Brackmann needs captures")
    assert table[0]["snarl.upper_lip_elevation.left"]
    assert (tmp_path / "o" / "b" / "assessment.json").is_file()


@pytest.mark.parametrize("workers", [[], ["--jobs", "2"]])
def test_two_dated_exams_of_one_subject_give_their_changes(cli, exams, tmp_path, no_report, workers):
    assert cli("analyze", exams(), "--out", tmp_path / "o", *workers).code == 0
    table = rows(tmp_path / "o" / "changes.csv")
    assert {(one["subject"], one["since"]) for one in table} == {("P7", "2026-01-01")}
    assert {"rest", "snarl"} == {one["expression"] for one in table}
    later, earlier = (json.loads((tmp_path / "o" / name / "assessment.json").read_text("utf-8")) for name in ("b", "c"))
    assert earlier["changes"] == []
    before, after = (
        {m["name"]: m["iod"]["difference"] for m in one["captures"][0]["measures"] if m["iod"]}
        for one in (earlier, later)
    )
    for one in later["changes"]:
        assert one["change"] == pytest.approx(one["after"] - one["before"])
        # Nothing was taken twice, so nothing says how much a repeat differs.
        assert (one["mdc"], one["beyond_mdc"]) == (None, None)
        if one["expression"] == "rest" and one["unit"] == "iod":
            assert one["change"] == pytest.approx(after[one["name"]] - before[one["name"]])
    assert len(table) == len(later["changes"])


def test_changes_of_an_earlier_run_do_not_stay(cli, exams, tmp_path, no_report):
    root = exams()
    assert cli("analyze", root, "--out", tmp_path / "o").code == 0
    assert cli("analyze", root / "d", root / "e", "--out", tmp_path / "o").code == 0
    assert not (tmp_path / "o" / "changes.csv").exists()
    assert len(rows(tmp_path / "o" / "exams.csv")) == 2


def test_resume_keeps_the_changes_of_a_chain(cli, exams, tmp_path, no_report):
    root = exams()
    cli("analyze", root, "--out", tmp_path / "o")
    before = (tmp_path / "o" / "changes.csv").read_bytes()
    ran = cli("analyze", root, "--out", tmp_path / "o", "--resume")
    assert "4 results (4 kept from before)" in ran.err
    assert (tmp_path / "o" / "changes.csv").read_bytes() == before
    # The earlier exam changes, so the later one's changes do as well.
    (root / "c" / "snarl.png").write_bytes((root / "e" / "snarl.png").read_bytes())
    assert "4 results (2 kept from before)" in cli("analyze", root, "--out", tmp_path / "o", "--resume").err


def test_the_order_of_a_published_set_names_the_captures(cli, photos, tmp_path, no_report):
    root = photos(*(f"Normal8_{number}.png" for number in range(1, 9)))
    ran = cli(
        "analyze", root, "--out", tmp_path / "o", "--order", "meei", "--mirrored", "no", "--reference-side", "left"
    )
    assert ran.code == 0
    result = json.loads((tmp_path / "o" / "assessment.json").read_text("utf-8"))
    assert [one["expression"] for one in result["captures"]] == [
        "rest", "brow_raise", "eyes_gentle", "eyes_tight", "smile_closed", "smile_open", "pucker", "lower_teeth",
    ]  # fmt: skip
    # One smiling face eight times: the eyes are open, and nothing moved.
    missing = {one["expression"]: one["reason"] for one in result["exam"]["missing"]}
    assert "Both eyes are open" in missing["eyes_gentle"]
    assert missing["snarl"] == "not taken"
    assert missing["brow_raise"].startswith("no effort on the reference side")
    (root / "Normal8_8.png").unlink()
    ran = cli("analyze", root, "--out", tmp_path / "short", "--order", "meei")
    assert ran.code == 1
    assert "has 8 captures" in ran.err


def test_a_wrong_row_of_the_table_is_a_failure_beside_the_result(cli, photos, tmp_path, no_report):
    root = photos("rest.png", "snarl.png")
    (root / "exam.csv").write_text("file,expression\nrest.png,rest\ngone.png,snarl\nsnarl.png,snrl\n")
    ran = cli("analyze", root, "--out", tmp_path / "o")
    assert (ran.code, ran.err.splitlines()[-1]) == (1, "1 result, 2 failures in o/. Open report.html there.")
    failures = {one["source"]: one["message"] for one in rows(tmp_path / "o" / "failures.csv")}
    assert "no such file in the exam's folder" in failures["gone.png"]
    assert "Did you mean 'snarl'?" in failures["snarl.png"]


def test_a_clinicians_ratings_are_merged(cli, photos, tmp_path, no_report):
    root = photos("rest.png", "snarl.png")
    (tmp_path / "mine.csv").write_text("item,value,rater\nsunnybrook.rest.cheek,1,AB\n")
    arguments = ("--mirrored", "no", "--reference-side", "left", "--ratings", tmp_path / "mine.csv")
    assert cli("analyze", root, "--out", tmp_path / "o", *arguments).code == 0
    result = json.loads((tmp_path / "o" / "assessment.json").read_text("utf-8"))
    items = {one["name"]: (one["value"], one["by"]) for one in result["scales"]["sunnybrook"]["items"]}
    assert items["sunnybrook.rest.cheek"] == (1, "AB")
    ran = cli("analyze", root, "--out", tmp_path / "o", "--ratings", tmp_path / "none.csv")
    assert (ran.code, "'none.csv' does not exist" in ran.err) == (2, True)
