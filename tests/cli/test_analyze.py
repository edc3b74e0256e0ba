"""Analyze: what is written, what is not, and what one bad input among many does."""

import csv
import json
import re
import resource
import subprocess
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from facialpalsy.analysis import run_job
from facialpalsy.assessment import NOTICE

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "assessment.schema.json"


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_one_photo_gives_its_files_and_says_nothing_on_standard_output(cli, photos, tmp_path, results):
    ran = cli("analyze", photos("face.png") / "face.png", "--out", tmp_path / "o")
    assert (ran.code, ran.out, ran.err) == (0, "", "1 result in o/. Open report.html there.\n")
    assert {path.name for path in (tmp_path / "o").iterdir()} == {
        "assessment.json", "measures.csv", "report.html", "overlay_1_face.png", "landmarks_face.json",
    }  # fmt: skip
    (result,) = results(tmp_path / "o").values()
    assert result["notice"] == NOTICE
    assert result["captures"][0]["source"] == "face.png"
    assert {one["measure"] for one in rows(tmp_path / "o" / "measures.csv")} == {
        one["name"] for one in result["captures"][0]["measures"]
    }
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    assert list(validator.iter_errors(json.loads((tmp_path / "o" / "assessment.json").read_text("utf-8")))) == []


def test_49_of_50_photos_give_results_and_the_broken_one_a_row(cli, photos, tmp_path, results, no_report):
    root = photos(*(f"{number:02d}.png" for number in range(50)))
    (root / "17.png").write_bytes((root / "17.png").read_bytes()[:1000])
    ran = cli("analyze", root, "--out", tmp_path / "o")
    assert ran.code == 1
    assert ran.err.splitlines()[-1] == "49 results, 1 failure in o/. Open index.html there."
    (failure,) = rows(tmp_path / "o" / "failures.csv")
    assert (failure["name"], failure["source"], failure["error"]) == ("17", "17.png", "UnreadablePictureError")
    # The broken one has an assessment as well, which holds its failure and nothing else.
    found = results(tmp_path / "o")
    assert sum(len(one["captures"]) == 1 for one in found.values()) == 49
    assert sum(one["exam"] is not None and not one["captures"] for one in found.values()) == 1
    assert len({one["source"] for one in rows(tmp_path / "o" / "measures.csv")}) == 49


def test_failures_of_an_earlier_run_do_not_stay(cli, photos, tmp_path, no_report):
    root = photos("a.png", "b.png")
    good = (root / "a.png").read_bytes()
    (root / "a.png").write_bytes(b"broken")
    assert cli("analyze", root, "--out", tmp_path / "o").code == 1
    assert (tmp_path / "o" / "failures.csv").is_file()
    (root / "a.png").write_bytes(good)
    assert cli("analyze", root, "--out", tmp_path / "o").code == 0
    assert not (tmp_path / "o" / "failures.csv").exists()


def test_json_on_a_pipe_is_one_valid_line_per_input_and_nothing_else(cli, photos):
    ran = cli("analyze", photos("a.png", "b.png"), "--json", "-")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert [json.loads(line)["captures"][0]["source"] for line in lines] == ["a.png", "b.png"]
    assert ran.out.endswith("\n")


def test_json_to_a_file_beside_the_results(cli, photos, tmp_path):
    assert cli("analyze", photos("a.png"), "--json", tmp_path / "all.jsonl", "--out", tmp_path / "o").code == 0
    (line,) = (tmp_path / "all.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line) == json.loads((tmp_path / "o" / "assessment.json").read_text("utf-8"))


def test_in_a_process_of_its_own_a_pipe_holds_json_alone_and_may_be_closed(start, photos):
    root = photos("a.png")
    done = start("analyze", root, "--json", "-")
    out, err = done.communicate(timeout=60)
    assert done.returncode == 0
    assert [json.loads(line)["schema"] for line in out.splitlines()] == ["facialpalsy.assessment/1"]
    assert err == ""
    closed = start("info")
    closed.stdout.close()
    assert (closed.stderr.read(), closed.wait(timeout=60)) == ("", 1)


def test_without_photos_no_pixel_of_the_photo_is_in_any_file(cli, photos, tmp_path):
    """Law: the same landmarks on another picture give the same bytes."""
    written = []
    assert cli("analyze", photos("face.png"), "--out", tmp_path / "points").code == 0
    for name, colour in (("photo", None), ("other", (200, 30, 40))):
        folder = tmp_path / name
        folder.mkdir()
        image = Image.open(photos("face.png") / "face.png") if colour is None else Image.new("RGB", (160, 184), colour)
        image.save(folder / "face.png")
        out = tmp_path / f"out_{name}"
        landmarks = tmp_path / "points" / "landmarks_face.json"
        assert cli("analyze", folder / "face.png", "--out", out, "--no-photos", "--landmarks", landmarks).code == 0
        written.append(out)
    assert (written[0] / "overlay_1_face.png").read_bytes() == (written[1] / "overlay_1_face.png").read_bytes()
    pages = [
        (out / "report.html").read_text("utf-8").replace(json.loads((out / "assessment.json").read_text())[key], key)
        for out in written
        for key in ("created",)
    ]
    sums = [json.loads((out / "assessment.json").read_text())["captures"][0]["sha256"] for out in written]
    assert pages[0].replace(sums[0], "") == pages[1].replace(sums[1], "")
    # With photos the law must fail, or the test shows nothing.
    assert cli("analyze", tmp_path / "photo", "--out", tmp_path / "shown").code == 0
    assert (tmp_path / "shown" / "overlay_1_face.png").read_bytes() != (written[0] / "overlay_1_face.png").read_bytes()
    assert "shows the" in (tmp_path / "shown" / "report.html").read_text("utf-8")


def without_pixels(data):
    """A PNG file less its picture; other files as they are."""
    if not data.startswith(b"\x89PNG"):
        return data
    kept, place = data[:8], 8
    while place < len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4])
        if data[place + 4 : place + 8] != b"IDAT":
            kept += data[place:end]
        place = end
    return kept


def test_no_path_and_no_metadata_of_the_photo_reach_any_output(cli, portrait, tmp_path):
    exif = Image.Exif()
    exif[0x013B] = "ARTISTSECRET"
    exif[0x010E] = "DESCRIPTIONSECRET"
    exif[0x9286] = "USERCOMMENTSECRET"
    gps = exif.get_ifd(0x8825)
    gps.update({1: "N", 2: (52.0, 31.0, 12.345), 3: "E", 4: (13.0, 24.0, 36.789), 29: "2026:03:01"})
    folder = tmp_path / "SECRETFOLDER" / "in"
    folder.mkdir(parents=True)
    portrait().save(folder / "a.jpg", quality=95, exif=exif, comment=b"COMMENTSECRET")
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "TEXTSECRET")
    portrait(x=2).save(folder / "b.png", pnginfo=text, exif=exif)
    assert b"SECRET" in (folder / "a.jpg").read_bytes()
    (folder / "c.jpg").write_bytes(b"broken SECRET")
    ran = cli("analyze", folder, "--out", tmp_path / "o", "--json", "-")
    assert ran.code == 1
    # Pixels are letters by chance: within pages, which are looked at as files below, and in the files themselves.
    outputs = {
        path.name: re.sub(rb"base64,[A-Za-z0-9+/=]+", b"", without_pixels(path.read_bytes()))
        for path in (tmp_path / "o").rglob("*")
        if path.is_file()
    }
    assert len(outputs) >= 8
    outputs |= {"stdout": ran.out.encode(), "stderr": ran.err.encode()}
    for name, data in outputs.items():
        for secret in (
            b"SECRET",
            str(tmp_path).encode(),
            tmp_path.name.encode(),
            b"12.345",
            b"36.789",
            b"GPS",
            b"Exif",
        ):
            assert secret not in data, (name, secret)
    for path in (tmp_path / "o").rglob("*.png"):
        assert not Image.open(path).getexif()


@pytest.mark.parametrize(
    "name", ["two words.png", "лицо 笑顔.png", "line\nbreak.png", "=cmd.png", "-dash.png", "it's.png"]
)
def test_names_of_files_may_be_what_they_like(cli, photos, tmp_path, results, name):
    ran = cli("analyze", photos(name), "--out", tmp_path / "o")
    assert ran.code == 0
    (result,) = results(tmp_path / "o").values()
    assert result["captures"][0]["source"] == name
    assert (tmp_path / "o" / "report.html").is_file()
    # Spreadsheets run a cell that begins with one of =+-@ as a formula.
    assert {one["source"] for one in rows(tmp_path / "o" / "measures.csv")} == {f"'{name}" if name[0] in "=-" else name}


def test_names_with_line_breaks_stay_one_line_in_messages(cli, photos, tmp_path):
    root = photos("a.png")
    (root / "line\nbreak.jpg").write_bytes(b"broken")
    ran = cli("analyze", root, "--out", tmp_path / "o")
    assert ran.code == 1
    (complaint,) = (line for line in ran.err.splitlines() if "UnreadablePictureError" in line)
    assert complaint.startswith(r"'line\nbreak.jpg': UnreadablePictureError: ")
    (failure,) = rows(tmp_path / "o" / "failures.csv")
    assert failure["source"] == "line\nbreak.jpg"


def test_captures_of_one_exam_with_one_stem_keep_their_own_landmarks(cli, photos, tmp_path, results):
    root = photos("one/rest.png", "two/rest.png", "two/rest.bmp", "snarl.png")
    files = ("one/rest.png", "two/rest.png", "two/rest.bmp", "snarl.png")
    (root / "exam.csv").write_text("file\n" + "\n".join(files))
    assert cli("analyze", root, "--out", tmp_path / "o").code == 0
    assert {path.name for path in (tmp_path / "o").glob("landmarks_*")} == {
        "landmarks_one_rest.png.json", "landmarks_two_rest.png.json", "landmarks_two_rest.bmp.json",
        "landmarks_snarl.json",
    }  # fmt: skip
    assert cli("analyze", root, "--out", tmp_path / "again", "--landmarks", tmp_path / "o").code == 0
    (one,), (two,) = results(tmp_path / "o").values(), results(tmp_path / "again").values()
    for before, after in zip(one["captures"], two["captures"], strict=True):
        assert after["face"]["landmarks"]["points"] == before["face"]["landmarks"]["points"]


def test_landmarks_written_by_one_run_are_read_by_the_next(cli, photos, tmp_path, results):
    root = photos("rest.png", "snarl.png")
    assert cli("analyze", root, "--out", tmp_path / "o", "--mirrored", "no").code == 0
    again = cli("analyze", root, "--out", tmp_path / "again", "--mirrored", "no", "--landmarks", tmp_path / "o")
    assert again.code == 0
    (one,), (two,) = results(tmp_path / "o").values(), results(tmp_path / "again").values()
    for before, after in zip(one["captures"], two["captures"], strict=True):
        assert after["face"]["landmarks"]["edited"]
        assert after["face"]["landmarks"]["points"] == before["face"]["landmarks"]["points"]
        for measure, edited in zip(before["measures"], after["measures"], strict=True):
            if measure["iod"]:
                assert edited["iod"]["difference"] == pytest.approx(measure["iod"]["difference"], abs=1e-4)


def test_landmarks_moved_by_hand_are_never_overwritten(cli, photos, tmp_path, results):
    face = photos("face.png") / "face.png"
    assert cli("analyze", face, "--out", tmp_path / "o").code == 0
    path = tmp_path / "o" / "landmarks_face.json"
    moved = json.loads(path.read_text("utf-8"))
    moved["points"][0][0] += 1
    path.write_text(json.dumps(moved))
    before = {one: one.read_bytes() for one in (tmp_path / "o").iterdir()}
    ran = cli("analyze", face, "--out", tmp_path / "o")
    assert ran.code == 1
    assert "'face': OutputError: 'landmarks_face.json' in the folder of the results was changed by hand" in ran.err
    assert {one: one.read_bytes() for one in before} == before
    # Given back, it is used and stays as it is.
    assert cli("analyze", face, "--out", tmp_path / "o", "--landmarks", path).code == 0
    assert json.loads(path.read_text("utf-8"))["points"] == moved["points"]
    (result,) = results(tmp_path / "o").values()
    assert result["captures"][0]["face"]["landmarks"]["points"][0] == moved["points"][0]
    # Now the file is as the last run wrote it, but the work in it is still someone's.
    assert cli("analyze", face, "--out", tmp_path / "o").code == 1
    assert json.loads(path.read_text("utf-8"))["points"] == moved["points"]


def test_results_of_another_call_do_not_stand_beside_the_new_ones(cli, photos, tmp_path, no_report):
    root = photos("a.png", "b.png")
    assert cli("analyze", root / "a.png", "--out", tmp_path / "o").code == 0
    assert cli("analyze", root, "--out", tmp_path / "o").code == 0
    names = {path.name for path in (tmp_path / "o").iterdir()}
    assert names == {"a", "b", "index.html", "measures.csv", "landmarks_a.json"}
    assert cli("analyze", root / "b.png", "--out", tmp_path / "o").code == 0
    assert not (tmp_path / "o" / "index.html").exists()


def test_a_fault_in_one_input_is_a_row_and_the_others_go_on(cli, photos, tmp_path, monkeypatch, no_report):
    def fail(job, *arguments, **options):
        if job.name in errors:
            raise errors[job.name]
        return run_job(job, *arguments, **options)

    errors = {"a": PermissionError(13, "Permission denied"), "b": ZeroDivisionError("division by zero")}
    monkeypatch.setattr("facialpalsy.cli.batch.run_job", fail)
    ran = cli("analyze", photos("a.png", "b.png", "c.png"), "--out", tmp_path / "o")
    assert ran.code == 1
    assert "'a': PermissionError: The system refused a file (Permission denied)" in ran.err
    assert "'b': ZeroDivisionError: This is a fault of facialpalsy, not of the input (division by zero)" in ran.err
    assert ran.err.splitlines()[-1] == "1 result, 2 failures in o/. Open index.html there."


def test_landmarks_work_on_photos_only(cli, photos, tmp_path):
    root = photos("a.png")
    (root / "clip.mp4").write_bytes(b"no clip")
    np.save(tmp_path / "points.npy", np.zeros((68, 2)))
    ran = cli("analyze", root / "clip.mp4", "--out", tmp_path / "o", "--landmarks", tmp_path / "points.npy")
    assert ran.code == 1
    assert "--landmarks works on photos" in ran.err


def test_a_disk_that_fills_up_leaves_nothing_half_written_and_earlier_results_intact(cli, photos, tmp_path, results):
    """A limit on the size of files, which overlays and pages exceed, stands for the disk."""
    root = photos("a.png", "b.png")
    (root / "b.png").rename(tmp_path / "b.png")
    (root / "c.jpg").write_bytes(b"broken")
    assert cli("analyze", root, "--out", tmp_path / "o").code == 1
    before = {path: path.read_bytes() for path in (tmp_path / "o" / "a").iterdir()}
    (tmp_path / "b.png").rename(root / "b.png")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        ran = cli("analyze", root, "--out", tmp_path / "o", "--resume")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ran.code == 1
    assert "'b': OutputError: Cannot write 'overlay_1_b.png'" in ran.err
    assert "Nothing was left half-written" in ran.err
    assert {path: path.read_bytes() for path in (tmp_path / "o" / "a").iterdir()} == before
    assert not (tmp_path / "o" / "b" / "assessment.json").exists()
    assert not [path for path in (tmp_path / "o").rglob("*") if "partial" in path.name]
    for path in (tmp_path / "o" / "b").glob("*.json"):
        json.loads(path.read_text("utf-8"))
    again = cli("analyze", root, "--out", tmp_path / "o", "--resume")
    assert again.err.splitlines()[-1] == "2 results (1 kept from before), 1 failure in o/. Open index.html there."
    assert len(results(tmp_path / "o")) == 3


def test_two_inputs_show_a_progress_bar_on_standard_error(cli, photos, tmp_path, no_report):
    ran = cli("analyze", photos("a.png", "b.png"), "--out", tmp_path / "o")
    assert "2/2" in ran.err
    assert ran.out == ""


def test_the_installed_command_is_the_same(photos):
    command = Path(__import__("sys").executable).with_name("facialpalsy")
    if not command.exists():
        pytest.skip("the console script is not installed beside this Python")
    done = subprocess.run([command, "analyze", "none.png", "--json", "-"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "'none.png': InputNotFoundError: There is no file or folder 'none.png'; check the path.\n"
