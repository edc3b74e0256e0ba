"""Clips: frames as a stream to CSV, key frames to JSON."""

import csv
import json
import os
from pathlib import Path

import av
import numpy as np
import pytest

MEASURES = 16


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def film(portrait, tmp_path):
    """Film the portrait, slightly moved in every frame, or a wall without a face."""

    def make(frames=8, *, face=True, cut=None):
        path = tmp_path / "clip.mp4"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", rate=8, options={"crf": "12", "g": "2"})
            stream.width, stream.height, stream.pix_fmt = 320, 368, "yuv420p"
            for number in range(frames):
                image = np.asarray(portrait(x=number % 3, zoom=2)) if face else np.full((368, 320, 3), 90, np.uint8)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            output.mux(stream.encode())
        if cut is not None:
            # The list of frames lies at the end of an MP4: cut off, nothing of it can be read.
            whole = path.read_bytes()
            path.write_bytes(whole[: int(cut * len(whole))])
        return path

    return make


def test_every_frame_is_a_row_and_key_frames_are_captures(cli, film, tmp_path):
    ran = cli("analyze", film(), "--out", tmp_path / "o", "--mirrored", "no")
    assert (ran.code, ran.out) == (0, "")
    table = rows(tmp_path / "o" / "measures.csv")
    assert {int(one["frame"]) for one in table} == set(range(8))
    assert sorted({float(one["time_s"]) for one in table}) == pytest.approx([number / 8 for number in range(8)])
    assert len({one["measure"] for one in table}) == MEASURES
    result = json.loads((tmp_path / "o" / "assessment.json").read_text("utf-8"))
    assert [(one["kind"], one["expression"]) for one in result["captures"]] == [("frame", "rest")]
    assert result["captures"][0]["source"] == "clip.mp4"
    assert (tmp_path / "o" / "report.html").is_file()
    assert list((tmp_path / "o").glob("landmarks_clip_*.json"))


def test_frames_of_clips_in_an_exam_are_a_file_per_clip(cli, film, photos, tmp_path, no_report):
    root = photos("rest.png", "pucker.png")
    film().rename(root / "snarl.mp4")
    arguments = ("analyze", root, "--out", tmp_path / "o", "--mirrored", "no")
    assert cli(*arguments).code == 0
    frames = rows(tmp_path / "o" / "frames_snarl.csv")
    assert {(one["name"], one["source"], one["expression"]) for one in frames} == {("in", "snarl.mp4", "snarl")}
    assert {int(one["frame"]) for one in frames} == set(range(8))
    measures = rows(tmp_path / "o" / "measures.csv")
    assert {one["source"] for one in measures} == {"rest.png", "pucker.png", "snarl.mp4"}
    # The exam has a rest photo: the clip adds its movement and no second rest.
    assert {one["source"] for one in measures if one["expression"] == "rest"} == {"rest.png"}
    assert "1 kept" in cli(*arguments, "--resume").err
    (tmp_path / "o" / "frames_snarl.csv").unlink()
    assert "kept" not in cli(*arguments, "--resume").err
    assert (tmp_path / "o" / "frames_snarl.csv").is_file()


def test_every_seconds_leaves_frames_out(cli, film, tmp_path, no_report):
    assert cli("analyze", film(), "--out", tmp_path / "o", "--every", "0.25").code == 0
    assert {int(one["frame"]) for one in rows(tmp_path / "o" / "measures.csv")} == {0, 2, 4, 6}


def test_a_named_movement_gives_rest_and_its_peak(cli, film, tmp_path, no_report):
    assert cli("analyze", film(), "--out", tmp_path / "o", "--expression", "snarl").code == 0
    result = json.loads((tmp_path / "o" / "assessment.json").read_text("utf-8"))
    assert [one["expression"] for one in result["captures"]] == ["rest", "snarl"]


def test_a_clip_without_a_face_is_a_failure_and_its_frames_say_so(cli, film, tmp_path):
    ran = cli("analyze", film(face=False), "--out", tmp_path / "o")
    assert ran.code == 1
    assert "NoFaceError: None of the 8 frames of 'clip.mp4' shows a face from the front" in ran.err
    assert {(one["measure"], one["withheld"]) for one in rows(tmp_path / "o" / "measures.csv")} == {
        ("face", "value: no face was found in this frame")
    }
    result = json.loads((tmp_path / "o" / "assessment.json").read_text("utf-8"))
    assert [one["error"] for one in result["failures"]] == ["NoFaceError"]


def test_a_clip_that_breaks_off_is_a_result_and_a_failure(cli, portrait, tmp_path):
    path = tmp_path / "clip.avi"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=8)
        stream.width, stream.height, stream.pix_fmt = 160, 184, "yuvj420p"
        for number in range(8):
            image = np.asarray(portrait(x=number % 3))
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(stream.encode())
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    ran = cli("analyze", path, "--out", tmp_path / "o")
    assert ran.code == 1
    assert "'clip.avi': UnreadableVideoError" in ran.err
    assert ran.err.splitlines()[-1] == "1 result, 1 failure in o/. Open report.html there."
    frames = {int(one["frame"]) for one in rows(tmp_path / "o" / "measures.csv")}
    assert 2 <= len(frames) < 8
    result = json.loads((tmp_path / "o" / "assessment.json").read_text("utf-8"))
    assert len(result["captures"]) == len(result["failures"]) == 1


def test_a_clip_that_holds_nothing_is_a_failure(cli, film, tmp_path):
    ran = cli("analyze", film(cut=0.3), "--out", tmp_path / "o")
    assert ran.code == 1
    assert "UnreadableVideoError" in ran.err
    assert not [path for path in (tmp_path / "o").rglob("*") if "partial" in path.name]


def test_a_real_clip_shows_rest_and_movements(cli, tmp_path, no_report):
    path = Path(os.environ.get("FACIALPALSY_ASSETS", "")) / "expressions_pexels.mp4"
    if not path.is_file():
        pytest.skip("FACIALPALSY_ASSETS names no folder with expressions_pexels.mp4")
    ran = cli("analyze", path, "--out", tmp_path / "o", "--every", "0.25", "--mirrored", "no")
    assert ran.code == 0
    table = rows(tmp_path / "o" / "measures.csv")
    # 19.7 seconds in quarters.
    assert len({one["frame"] for one in table}) in (78, 79, 80)
    result = json.loads((tmp_path / "o" / "assessment.json").read_text("utf-8"))
    expressions = [one["expression"] for one in result["captures"]]
    assert expressions[0] == "rest"
    assert len(expressions) >= 2
    assert all(one["kind"] == "frame" for one in result["captures"])
