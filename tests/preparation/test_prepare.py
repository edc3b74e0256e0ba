"""Preparation: one row per sample whatever happens, crops where the geometry says, nothing done twice."""

from dataclasses import fields, replace

import numpy as np
import pytest
from PIL import Image

from facialpalsy.clinical.expressions import Expression
from facialpalsy.datasets.sample import Sample
from facialpalsy.errors import EmptyFolderError, OutputError, UsageError
from facialpalsy.face import IBUG68, MEDIAPIPE478, Mirrored, ReferenceSide, Side, align
from facialpalsy.media import file_sha256
from facialpalsy.preparation import TABLE, found_landmarks, prepare
from facialpalsy.preparation.work import crop_points


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_row_keeps_what_the_corpus_says_and_adds_what_was_found(photo, prepared):
    sample = photo(
        subject="Ü 1",
        capture="exam 1",
        expression=Expression.SNARL,
        affected=ReferenceSide.LEFT,
        mirrored=Mirrored.NO,
        grade=3,
        split="val",
        targets={"yfp.eyes": "StrongPalsy", "neuroface.rom": 3.5},
    )
    (row,) = prepared([sample])
    for field in fields(Sample):
        if field.name not in ("path", "landmarks"):
            assert getattr(row, field.name) == getattr(sample, field.name), field.name
    assert row.sha256 == file_sha256(sample.path)
    assert (row.engine, row.scheme, row.faces, row.unmirrored) == ("drawn", "mediapipe478", 2, False)
    assert row.warnings == ("2 faces were found.",)
    assert (row.failure, row.message) == (None, None)
    # Symmetric but for a commissure, so from the front; 0.78 iod of 100 px from ear to ear on either side.
    assert (row.pose.yaw, row.pose.roll) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))
    assert row.face_width_px == pytest.approx(156)


def test_the_landmarks_in_the_picture_are_the_detectors(photo, prepared, detector, drawn_face, tmp_path):
    black = photo("b.png", np.zeros((300, 300, 3), np.uint8))
    mirrored = photo("m.png", np.asarray(Image.open(photo().path))[:, ::-1], mirrored=Mirrored.YES)
    rows = prepared([photo(), mirrored, black])
    one, twin, none = (found_landmarks(row, tmp_path / "out", detector.engine) for row in rows)
    for found in (one, twin):
        assert found.points == pytest.approx(drawn_face.points)
        assert (found.image_size, found.engine) == ((300, 300), "drawn")
    assert none is None


def test_the_crop_is_upright_at_one_scale_and_a_png_without_metadata(photo, prepared, drawn_face):
    (row,) = prepared([photo()])
    expected, landmarks = align(pixels(photo().path), drawn_face, 256)
    assert row.crops.keys() == {256}
    assert (pixels(row.crops[256]) == expected).all()
    with Image.open(row.crops[256]) as image:
        assert (image.format, image.size, image.info, len(image.getexif())) == ("PNG", (256, 256), {}, 0)
    found = row.landmarks(256)
    assert found.points == pytest.approx(landmarks.points, abs=1e-4)
    # Outer canthi 0.42 of the side apart, at 0.40 of its height, the subject's right on the left.
    assert found.point("outer_canthus", Side.RIGHT) == pytest.approx([0.29 * 256, 0.40 * 256], abs=1e-4)
    assert found.point("outer_canthus", Side.LEFT) == pytest.approx([0.71 * 256, 0.40 * 256], abs=1e-4)


@pytest.mark.parametrize("scheme", [MEDIAPIPE478, IBUG68])
@pytest.mark.parametrize("size", [224, 256])
def test_points_of_a_crop_are_those_that_align_gives(make_face, turn, scheme, size):
    face = turn(make_face(scheme), degrees=17, scale=1.3, shift=(5, 9))
    assert crop_points(face, size) == pytest.approx(align(np.zeros((300, 300, 3), np.uint8), face, size)[1].points)


def test_every_failure_is_a_row_and_stops_nothing(photo, prepared, tmp_path):
    samples = [photo(f"{name}.png") for name in ("fine", "cut", "empty", "gone", "last")]
    cut, empty, gone = (one.path for one in samples[1:4])
    cut.write_bytes(cut.read_bytes()[:200])
    empty.write_bytes(b"")
    gone.unlink()
    samples.append(photo("black.png", np.zeros((300, 300, 3), np.uint8), grade=2))
    samples.append(replace(samples[0], key="folder", path=tmp_path))
    rows = prepared(samples)
    assert [row.key for row in rows] == [one.key for one in samples]
    assert [row.failure for row in rows] == [
        None,
        "UnreadablePictureError",
        "UnreadablePictureError",
        "InputNotFoundError",
        None,
        "NoFaceError",
        "UnreadablePictureError",
    ]
    assert "'cut.png' is damaged or cut short" in rows[1].message
    failed = [row for row in rows if row.failure]
    assert all(row.points is row.pose is row.quality is None and not row.crops for row in failed)
    assert all(row.landmarks(256) is None for row in failed)
    # What is known is kept: the label always, the hash where the file could be read.
    assert (rows[5].grade, rows[5].sha256) == (2, file_sha256(samples[5].path))
    assert [row.sha256 is None for row in rows] == [False, False, True, True, False, False, True]


def test_a_fault_of_the_detector_costs_one_row_and_is_not_kept(photo, prepared, detector, monkeypatch):
    samples = [photo("a.png"), photo("b.png", np.full((300, 300, 3), 90, np.uint8))]
    whole = detector.detect

    def faulty(picture):
        if (picture == 90).all():
            raise RuntimeError("graph")
        return whole(picture)

    monkeypatch.setattr(detector, "detect", faulty)
    rows = prepared(samples)
    assert [row.failure for row in rows] == [None, "RuntimeError"]
    assert "a fault of facialpalsy" in rows[1].message
    monkeypatch.undo()
    assert [row.failure for row in prepared(samples)] == [None, None]


def test_a_mirrored_picture_is_turned_back_first(photo, prepared, drawing):
    rows = prepared(
        [
            photo("plain.png", mirrored=Mirrored.NO, affected=ReferenceSide.LEFT),
            photo("selfie.png", drawing()[:, ::-1], mirrored=Mirrored.YES, affected=ReferenceSide.LEFT),
            photo("unknown.png", drawing()[:, ::-1], mirrored=Mirrored.UNKNOWN),
        ]
    )
    plain, selfie, unknown = rows
    assert (pixels(selfie.crops[256]) == pixels(plain.crops[256])).all()
    assert (selfie.points == plain.points).all()
    assert (selfie.unmirrored, selfie.mirrored, selfie.affected) == (True, Mirrored.YES, ReferenceSide.LEFT)
    assert not plain.unmirrored
    assert not unknown.unmirrored
    assert not (pixels(unknown.crops[256]) == pixels(plain.crops[256])).all()


def test_one_picture_as_mirrored_and_not_is_two_crops(photo, prepared):
    sample = photo(mirrored=Mirrored.NO)
    one, other = prepared([sample, replace(sample, key="again", mirrored=Mirrored.YES)])
    assert one.crops != other.crops


def test_frames_of_a_clip_are_decoded_once_in_one_pass_and_no_further_than_needed(clip, prepared, monkeypatch):
    from facialpalsy.preparation import work

    path, given = clip(frames=12), []

    def counted(path):
        for frame in work_read_frames(path):
            given.append(frame.index)
            yield frame

    work_read_frames = work.read_frames
    monkeypatch.setattr(work, "read_frames", counted)
    samples = [Sample("drawn", f"c.mp4#{frame}", "p1", path, frame=frame) for frame in (8, 2, 5)]
    rows = prepared(samples)
    assert given == list(range(9))
    assert [row.frame for row in rows] == [8, 2, 5]
    # The blue of a frame is ten times its number; video keeps colours to a few levels.
    for row in rows:
        assert pixels(row.crops[256])[100:156, 100:156, 2].mean() == pytest.approx(10 * row.frame, abs=6)


def test_frames_that_a_clip_does_not_have_are_rows(clip, prepared):
    path = clip(frames=4)
    rows = prepared([Sample("drawn", f"c.mp4#{frame}", "p1", path, frame=frame) for frame in (3, 4, 900)])
    assert [row.failure for row in rows] == [None, "InputNotFoundError", "InputNotFoundError"]
    assert rows[2].message.startswith("Frame 900 of 'c.mp4' was asked for, but the clip has 4 frames")


def test_frames_before_the_damage_are_kept(clip, prepared):
    path = clip("c.mp4", frames=12)
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    third = (len(data) - start) // 3
    data[start + 2 * third : start + 2 * third + 500] = bytes(500)
    path.write_bytes(data)
    rows = prepared([Sample("drawn", f"c.mp4#{frame}", "p1", path, frame=frame) for frame in range(12)])
    failures = [row.failure for row in rows]
    assert failures[0] is None
    assert failures[-1] == "UnreadableVideoError"
    assert failures == sorted(failures, key=lambda one: one is not None)


def test_two_sizes_cost_one_look_and_have_the_same_points(photo, prepared, detector):
    (row,) = prepared([photo()], sizes=(256, 224, 256))
    assert detector.asked == 1
    assert {size: pixels(path).shape[0] for size, path in row.crops.items()} == {256: 256, 224: 224}
    assert row.landmarks(224).points == pytest.approx(row.landmarks(256).points * 224 / 256)
    assert row.points_size == 256


def test_another_size_later_costs_no_look(photo, prepared, detector):
    prepared([photo()])
    (row,) = prepared([photo()], sizes=(224, 256))
    assert detector.asked == 1
    assert row.crops.keys() == {224, 256}
    assert row.points_size == 224


def test_a_second_run_looks_at_nothing_and_gives_the_same_table(photo, clip, prepared, detector, tmp_path, monkeypatch):
    samples = [photo("a.png"), photo("black.png", np.zeros((300, 300, 3), np.uint8))]
    samples += [Sample("drawn", "c.mp4#1", "p2", clip(), frame=1)]
    prepared(samples)
    asked, table = detector.asked, (tmp_path / "out" / TABLE).read_bytes()
    crops = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    monkeypatch.setattr("facialpalsy.preparation.work.read_photo", None)
    monkeypatch.setattr("facialpalsy.preparation.work.read_frames", None)
    prepared(samples)
    assert detector.asked == asked == 3
    assert (tmp_path / "out" / TABLE).read_bytes() == table
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")} == crops


def test_labels_may_change_without_a_new_look(photo, prepared, detector):
    prepared([photo(grade=2)])
    (row,) = prepared([photo(grade=5)])
    assert (row.grade, detector.asked) == (5, 1)


def test_contents_count_and_not_names(photo, prepared, detector, drawing):
    one, copy, other = prepared([photo("a.png"), photo("b/c.png"), photo("d.png", drawing(3))])
    assert one.crops == copy.crops != other.crops
    assert detector.asked == 2
    prepared([photo("a.png", drawing(7))])
    assert detector.asked == 3


def test_another_engine_looks_again(photo, prepared, detector, other_detector):
    (one,) = prepared([photo()])
    (other,) = prepared([photo()], by=other_detector)
    assert (one.engine, other.engine) == ("drawn", "other")
    assert one.crops != other.crops
    assert (detector.asked, other_detector.asked) == (1, 1)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"", lambda data: b"x" + data[1:]])
def test_a_damaged_crop_is_noticed_and_made_again(photo, prepared, detector, damage):
    (row,) = prepared([photo()])
    whole = row.crops[256].read_bytes()
    row.crops[256].write_bytes(damage(whole))
    prepared([photo()])
    assert row.crops[256].read_bytes() == whole
    row.crops[256].unlink()
    prepared([photo()])
    assert row.crops[256].read_bytes() == whole
    assert detector.asked == 1


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b'{"crops": {}}', b"\xff", b'{"crops": {"256": 1}}'])
def test_a_damaged_record_is_noticed_and_made_again(photo, prepared, detector, tmp_path, content):
    prepared([photo()])
    (record,) = (tmp_path / "out").rglob("*.json")
    whole = record.read_bytes()
    record.write_bytes(content)
    prepared([photo()])
    assert record.read_bytes() == whole
    assert detector.asked == 2


def test_what_a_killed_run_left_half_written_is_removed(photo, prepared, tmp_path):
    for folder in ("out", "out/crops/ab"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / ".x1y2.partial.png").write_text("{")
    prepared([photo()])
    assert not [path for path in (tmp_path / "out").rglob("*") if "partial" in path.name]


def test_a_run_that_is_stopped_leaves_no_table_and_continues(photo, prepared, detector, tmp_path, monkeypatch):
    samples = [photo(f"{level}.png", np.full((300, 300, 3), 100 + level, np.uint8)) for level in range(4)]
    whole = detector.detect

    def stopped(picture):
        if detector.asked == 2:
            raise KeyboardInterrupt
        return whole(picture)

    monkeypatch.setattr(detector, "detect", stopped)
    with pytest.raises(KeyboardInterrupt):
        prepared(samples)
    assert not [path for path in (tmp_path / "out").iterdir() if path.name != "crops"]
    monkeypatch.undo()
    assert len(prepared(samples)) == 4
    assert detector.asked == 4


def test_a_folder_that_cannot_be_written_ends_the_run(photo, prepared, tmp_path, monkeypatch):
    def full(*_):
        raise OutputError("Cannot write: no space left.")

    monkeypatch.setattr("facialpalsy.preparation.cache.write_text", full)
    with pytest.raises(OutputError):
        prepared([photo()])
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        prepare([photo()], tmp_path / "file")


@pytest.mark.parametrize("settings", [{"sizes": (16,)}, {"sizes": (256, 5000)}, {"sizes": ()}, {"jobs": 0}])
def test_settings_that_are_none_are_refused(photo, tmp_path, settings):
    with pytest.raises(UsageError):
        prepare([photo()], tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_a_corpus_without_samples_is_refused(tmp_path):
    with pytest.raises(EmptyFolderError):
        prepare([], tmp_path / "out")


def test_progress_counts_every_sample(photo, prepared):
    done = []
    prepared([photo("a.png"), photo("b.png")], on_done=done.append)
    assert sum(done) == 2
