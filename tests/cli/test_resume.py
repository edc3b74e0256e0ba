"""Resume: a run that was stopped, by a key, by force or by a full queue of processes, ends with the same results."""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from facialpalsy.cli.batch import Batch, _run_chain
from facialpalsy.weights import RECOGNISER

NAMES = [f"{number}.png" for number in range(12)]


def kept(ran):
    """How many results of an earlier run the last line says were kept."""
    last = ran.err.splitlines()[-1]
    return int(last.split("(")[1].split(" kept")[0]) if "kept" in last else 0


@pytest.fixture
def whole(cli, photos, tmp_path, results):
    """The photos, and what an uninterrupted run makes of them."""
    root = photos(*NAMES)
    assert cli("analyze", root, "--out", tmp_path / "whole").code == 0
    return root, results(tmp_path / "whole")


def tables(out):
    return {path.name: path.read_bytes() for path in out.iterdir() if path.suffix == ".csv"}


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_stopped_run_is_whole_as_far_as_it_came_and_resumes_to_the_same_end(
    cli, start, tmp_path, results, whole, stop, code
):
    root, expected = whole
    out = tmp_path / "stopped"
    process = start("analyze", root, "--out", out)
    deadline = time.monotonic() + 60
    while not list(out.glob("*/assessment.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(stop)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    if stop is signal.SIGINT:
        assert "Traceback" not in err
        assert err.splitlines()[-1] == (
            "facialpalsy: Stopped. What was finished is whole; run the same command again (analyze: with --resume) "
            "to do the rest."
        )
        assert not [path for path in out.rglob("*") if "partial" in path.name]
    done = results(out)
    assert 1 <= len(done) < len(NAMES)
    assert all(expected[name] == found for name, found in done.items())

    ran = cli("analyze", root, "--out", out, "--resume")
    assert ran.code == 0
    assert kept(ran) == len(done)
    assert results(out) == expected
    assert tables(out) == tables(tmp_path / "whole")
    # What a killed process may have left half-written is gone as well.
    assert not [path for path in out.rglob("*") if "partial" in path.name]


def test_what_a_killed_run_left_half_written_is_removed(cli, photos, tmp_path, no_report):
    root = photos("a.png", "b.png")
    for folder in ("o", "o/a"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ".x1y2.partial.json").write_text("{")
    assert cli("analyze", root, "--out", tmp_path / "o", "--resume").code == 0
    assert not [path for path in (tmp_path / "o").rglob("*") if "partial" in path.name]


def test_a_finished_run_is_kept_and_not_touched(cli, tmp_path, whole):
    root, _ = whole
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "whole").glob("*/*")}
    ran = cli("analyze", root, "--out", tmp_path / "whole", "--resume")
    assert kept(ran) == len(NAMES)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "whole").glob("*/*")} == before


def test_without_resume_everything_is_done_again(cli, photos, tmp_path, no_report):
    root = photos("a.png", "b.png")
    assert cli("analyze", root, "--out", tmp_path / "o").code == 0
    assert kept(cli("analyze", root, "--out", tmp_path / "o")) == 0


def test_a_changed_input_is_done_again_and_the_others_are_kept(cli, photos, portrait, tmp_path, results, no_report):
    root = photos("a.png", "b.png", "c.png")
    cli("analyze", root, "--out", tmp_path / "o")
    before = results(tmp_path / "o")
    portrait(y=5).save(root / "b.png")
    portrait(y=6).save(root / "d.png")
    ran = cli("analyze", root, "--out", tmp_path / "o", "--resume")
    assert kept(ran) == 2
    after = results(tmp_path / "o")
    assert after["a"] == before["a"]
    assert after["b"]["captures"][0]["sha256"] != before["b"]["captures"][0]["sha256"]
    assert "d" in after


@pytest.mark.parametrize(
    "option",
    [
        ["--mirrored", "no"],
        ["--iris-mm", "12"],
        ["--no-photos"],
        ["--expression", "rest"],
        ["--reference-side", "left"],
    ],
)
def test_a_changed_setting_is_done_again(cli, photos, tmp_path, no_report, option):
    root = photos("a.png", "b.png")
    cli("analyze", root, "--out", tmp_path / "o")
    assert kept(cli("analyze", root, "--out", tmp_path / "o", "--resume", *option)) == 0
    assert kept(cli("analyze", root, "--out", tmp_path / "o", "--resume", *option)) == 2


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b'{"schema": "facialpalsy.assessment/1"}'])
def test_a_damaged_result_is_done_again(cli, photos, tmp_path, results, no_report, damage):
    root = photos("a.png", "b.png")
    cli("analyze", root, "--out", tmp_path / "o")
    before = results(tmp_path / "o")
    (tmp_path / "o" / "a" / "assessment.json").write_bytes(damage)
    assert kept(cli("analyze", root, "--out", tmp_path / "o", "--resume")) == 1
    assert results(tmp_path / "o") == before


@pytest.mark.parametrize("name", ["report.html", "measures.csv", "overlay_1_a.png", "landmarks_a.json"])
def test_a_result_that_lacks_a_file_is_done_again(cli, photos, tmp_path, no_report, name):
    root = photos("a.png", "b.png")
    cli("analyze", root, "--out", tmp_path / "o")
    (tmp_path / "o" / "a" / name).unlink()
    assert kept(cli("analyze", root, "--out", tmp_path / "o", "--resume")) == 1
    assert (tmp_path / "o" / "a" / name).is_file()


def processes_of(group):
    """Processes of a group, by the system's own list."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            after_name = stat.read_text().rpartition(")")[2].split()
            if int(after_name[2]) == group and after_name[0] != "Z":
                found.append(stat.parent.name)
    return found


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_no_process_behind(start, photos, tmp_path, stop):
    if not Path("/proc/self/stat").is_file():
        pytest.skip("this system has no /proc")
    process = start("analyze", photos(*NAMES), "--out", tmp_path / "o", "--jobs", "2", new_session=True)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "o").glob("*/assessment.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    if stop is signal.SIGINT:
        # As a terminal does: to the whole group, and again by who is impatient.
        os.killpg(process.pid, stop)
        time.sleep(0.05)
        os.killpg(process.pid, stop)
    else:
        process.send_signal(stop)
    process.wait(timeout=30)
    deadline = time.monotonic() + 20
    while processes_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(process.pid) == []


def test_a_worker_that_dies_costs_no_result(start, photos, tmp_path, results):
    if not Path("/proc/self/stat").is_file():
        pytest.skip("this system has no /proc")
    out = tmp_path / "o"
    process = start("analyze", photos(*NAMES), "--out", out, "--jobs", "2", new_session=True)
    deadline = time.monotonic() + 60
    while not list(out.glob("*/assessment.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    worker = next(one for one in processes_of(process.pid) if "spawn_main" in Path(f"/proc/{one}/cmdline").read_text())
    os.kill(int(worker), signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert len(results(out)) == len(NAMES)


def test_an_input_that_kills_its_worker_is_found_and_the_others_are_done(cli, photos, tmp_path, monkeypatch, no_report):
    """A pool that ends with all that it has left as soon as the deadly input is among it."""
    pools = []

    def run_in_pool(self, chains):
        pools.append([chain[0][0].name for chain in chains])
        if "deadly" in pools[-1]:
            return chains
        for chain in chains:
            yield from _run_chain(chain, self.settings, self.photos, self.resume)
        return []

    monkeypatch.setattr(Batch, "_run_in_pool", run_in_pool)
    names = ("a.png", "b.png", "c.png", "deadly.png", "e.png")
    ran = cli("analyze", photos(*names), "--out", tmp_path / "o", "--jobs", "2")
    assert ran.code == 1
    assert "'deadly': BrokenProcessPool: The process that worked on it died" in ran.err
    assert ran.err.splitlines()[-1] == "4 results, 1 failure in o/. Open index.html there."
    assert ["deadly"] in pools


def test_two_processes_give_what_one_gives(cli, photos, tmp_path, results):
    root = photos(*NAMES)
    (root / "3.png").write_bytes(b"broken")
    arguments = ("analyze", root, "--mirrored", "no")
    one = cli(*arguments, "--out", tmp_path / "one", "--json", tmp_path / "one.jsonl")
    two = cli(*arguments, "--out", tmp_path / "two", "--json", tmp_path / "two.jsonl", "--jobs", "2")
    assert (one.code, two.code) == (1, 1)
    assert results(tmp_path / "one") == results(tmp_path / "two")
    assert tables(tmp_path / "one") == tables(tmp_path / "two")
    lines = [(tmp_path / f"{name}.jsonl").read_text("utf-8").splitlines() for name in ("one", "two")]
    sources = [[sorted({one["source"] for one in json.loads(line)["captures"]}) for line in name] for name in lines]
    assert sources[0] == sources[1]
    for name in (path.name for path in (tmp_path / "one" / "0").iterdir() if path.suffix == ".png"):
        assert (tmp_path / "one" / "0" / name).read_bytes() == (tmp_path / "two" / "0" / name).read_bytes()


def test_results_below_the_folder_of_the_photos_are_no_input_of_the_next_run(cli, photos, results):
    root = photos("rest.png", "snarl.png")
    assert cli("analyze", root, "--out", root).code == 0
    first = results(root)
    ran = cli("analyze", root, "--out", root, "--resume")
    assert kept(ran) == 1
    assert results(root) == first
    assert len(list(Path(root).glob("overlay_*.png"))) == 2


def test_results_of_another_engine_are_not_kept(cli, photos, tmp_path, results, landmarker):
    root, out = photos("a.png", "b.png"), tmp_path / "out"
    command = ("analyze", root, "--out", out, "--expression", "rest")
    assert cli(*command).code == 0
    ran = cli(*command, "--landmarks", landmarker, "--resume")
    assert (ran.code, kept(ran)) == (0, 0)
    for one in results(out).values():
        assert [model["name"] for model in one["software"]["models"]] == [landmarker, RECOGNISER]
        assert "not with face-landmarker" in one["captures"][0]["measures"][0]["withheld"]["z"]
    assert kept(cli(*command, "--landmarks", landmarker, "--resume")) == 2
    assert kept(cli(*command, "--resume")) == 0
