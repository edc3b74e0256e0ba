"""Prepare on the command line: a corpus in a table, failures as rows, and runs that were stopped."""

import signal
import time

import pytest

from facialpalsy.preparation import TABLE, read_prepared

NAMES = [f"{number}.png" for number in range(8)]


@pytest.fixture
def corpus(photos):
    """A table of portraits of four people; one of them is damaged."""
    root = photos(*NAMES)
    (root / "3.png").write_bytes(b"broken")
    lines = [f"{name},p{number // 2},{1 + number // 2},left,no" for number, name in enumerate(NAMES)]
    (root / "table.csv").write_text("\n".join(["image_path,subject,grade,side,mirrored", *lines]), "utf-8")
    return root


@pytest.fixture
def prepare(cli, corpus):
    def run(out, *arguments):
        return cli("prepare", corpus, "--layout", "csv", "--out", out, *arguments)

    return run


def content(out):
    """Every file that is a result, by name."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_a_corpus_is_prepared_and_its_failures_are_named(prepare, tmp_path):
    ran = prepare(tmp_path / "o", "--size", 256, "--size", 224)
    assert ran.code == 1
    assert "'3.png': UnreadablePictureError: '3.png' is of an unknown format" in ran.err
    assert ran.err.splitlines()[-1] == "7 of 8 samples have a crop; prepared.parquet is in o/."
    rows = read_prepared(tmp_path / "o")
    assert [row.key for row in rows] == NAMES
    assert [row.grade for row in rows] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert all(row.crops.keys() == {256, 224} for row in rows if row.failure is None)
    # The astronaut looks into the camera, her head tilted a little.
    assert all(abs(row.pose.yaw) < 20 for row in rows if row.pose)


def test_two_processes_give_what_one_gives(prepare, tmp_path):
    prepare(tmp_path / "one")
    prepare(tmp_path / "two", "--jobs", 2)
    assert content(tmp_path / "one") == content(tmp_path / "two")


@pytest.mark.parametrize(
    ("stop", "code", "jobs"),
    [(signal.SIGINT, 130, 1), (signal.SIGINT, 130, 2), (signal.SIGKILL, -signal.SIGKILL, 2)],
)
def test_a_stopped_run_continues_to_the_same_end(prepare, start, corpus, tmp_path, stop, code, jobs):
    out = tmp_path / "stopped"
    process = start("prepare", corpus, "--layout", "csv", "--out", out, "--jobs", jobs)
    deadline = time.monotonic() + 60
    while not list(out.rglob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(stop)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    assert not (out / TABLE).exists()
    assert prepare(out).code == 1
    prepare(tmp_path / "whole")
    assert content(out) == content(tmp_path / "whole")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--size", "7"], "The size 7 was asked for; a crop is 32 to 1024 pixels wide"),
        (["--jobs", "0"], "--jobs"),
    ],
)
def test_wrong_values_are_one_sentence(prepare, tmp_path, arguments, words):
    ran = prepare(tmp_path / "o", *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert not (tmp_path / "o").exists()


def test_people_and_labels_reach_the_table(prepare, tmp_path):
    (tmp_path / "people.csv").write_text("folder,person\np0,X\np1,X\n")
    (tmp_path / "labels.csv").write_text("subject,capture,scale,item,value,rater\nX,,house_brackmann,grade,V,AB\n")
    prepare(tmp_path / "o", "--people", tmp_path / "people.csv", "--labels", tmp_path / "labels.csv")
    rows = read_prepared(tmp_path / "o")
    assert [(row.subject, row.grade) for row in rows] == [("X", 5)] * 4 + [("p2", 3)] * 2 + [("p3", 4)] * 2


def test_what_the_table_loses_is_a_fault_also_where_every_sample_has_a_crop(cli, corpus, tmp_path):
    (corpus / "table.csv").write_text("image_path,subject\n0.png,p0\n9.png,p9\n")
    ran = cli("prepare", corpus, "--out", tmp_path / "o")
    assert ran.code == 1
    assert ran.err.splitlines()[0] == "It looks like csv."
    assert ran.err.splitlines()[-2:] == [
        "1 fault of the corpus itself: `facialpalsy data check` names them.",
        "1 of 1 samples have a crop; prepared.parquet is in o/.",
    ]


def test_crops_in_the_corpus_itself_are_refused(cli, tmp_path):
    (tmp_path / "AFLFP/P01").mkdir(parents=True)
    (tmp_path / "AFLFP/P01/a.pts").touch()
    ran = cli("prepare", tmp_path / "AFLFP", "--layout", "aflfp", "--out", tmp_path / "AFLFP/o")
    assert ran.code == 2
    assert "--out 'o' lies in the corpus, which is only read" in ran.err
    assert not (tmp_path / "AFLFP/o").exists()


def test_a_wrong_layout_is_refused(cli, corpus, tmp_path):
    ran = cli("prepare", corpus, "--layout", "meei", "--out", tmp_path / "o")
    assert ran.code in (1, 2)
    assert "It looks like csv" in ran.err
    assert cli("prepare", corpus, "--layout", "cvs", "--out", tmp_path / "o").code == 2
    assert not (tmp_path / "o").exists()
