"""Clip: key frames chosen from known movements, and a clip whose every frame is a hand-made face."""

import av
import numpy as np
import pytest

from facialpalsy.analysis.clip import ClipReader, choose_key_frames
from facialpalsy.analysis.request import CaptureRequest, ExamHeader, Settings
from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import NoFaceError, UnreadableVideoError
from facialpalsy.face import Mirrored, Side, head_pose
from facialpalsy.media import file_sha256

E = Expression
BROW, FISSURE, WIDTH, GAP, LOWER = range(5)


def signals(n=30):
    """A face at rest in every frame: brow 0.25, fissure 0.12, commissure 0.3, lips shut, lower lip 0.3."""
    return np.tile([0.25, 0.12, 0.3, 0.0, 0.3], (n, 1)), np.arange(n) / 10


def choose(frames, time_s, named=None, turned=()):
    """Key frames of a clip in which the head faces the camera but for the frames `turned`, half more than is good."""
    return choose_key_frames(frames, time_s, np.where(np.isin(np.arange(len(frames)), turned), 1.5, 0.5), named)


@pytest.mark.parametrize(
    ("column", "reach", "gap", "expected"),
    [
        (BROW, 0.05, 0, {E.REST: 0, E.BROW_RAISE: 12}),
        (BROW, 0.02, 0, {E.REST: 0}),
        (WIDTH, 0.05, 0.05, {E.REST: 0, E.SMILE_OPEN: 12}),
        (WIDTH, 0.05, 0, {E.REST: 0, E.SMILE_CLOSED: 12}),
    ],
)
def test_the_peak_of_a_movement_that_reaches_far_enough_is_a_key_frame(column, reach, gap, expected):
    frames, time_s = signals()
    frames[10:15, column] += np.array([0.5, 0.9, 1.0, 0.9, 0.5]) * reach
    frames[10:15, GAP] += gap
    assert choose(frames, time_s) == expected


@pytest.mark.parametrize(("frames_shut", "seen"), [(2, False), (6, True)])
def test_a_blink_is_no_attempt_to_close_the_eyes(frames_shut, seen):
    frames, time_s = signals()
    frames[10 : 10 + frames_shut, FISSURE] = 0.02
    frames[11, FISSURE] = 0.01
    chosen = choose(frames, time_s)
    assert chosen == ({E.REST: 0, E.EYES_GENTLE: 11} if seen else {E.REST: 0})


@pytest.mark.parametrize(
    ("named", "column", "direction"),
    [
        (E.BROW_RAISE, BROW, 1), (E.EYES_TIGHT, FISSURE, -1), (E.SMILE_OPEN, WIDTH, 1), (E.SNARL, LOWER, -1),
        (E.PUCKER, WIDTH, -1), (E.LOWER_TEETH, LOWER, 1),
    ],
)  # fmt: skip
def test_rest_of_a_named_movement_is_neither_its_opposite_nor_a_blink_and_the_peak_no_bad_frame(
    named, column, direction
):
    frames, time_s = signals(40)
    frames[0:3, column] -= direction * 0.05  # the opposite extreme
    frames[3, FISSURE] = 0.05  # a blink, less than half open
    frames[20:26, column] += direction * np.array([0.03, 0.045, 0.05, 0.05, 0.045, 0.03])
    frames[33, column] += direction * 0.11  # a bad frame
    chosen = choose(frames, time_s, named)
    assert chosen[named] == 22
    # At rest from frame 4 to the beginning of the movement.
    assert 4 <= chosen[E.REST] < 20


def test_rest_is_taken_before_the_peak_where_a_frame_is():
    frames, time_s = signals()
    frames[10:15, WIDTH] += 0.05
    frames[:10, BROW] += 0.001
    assert choose(frames, time_s, E.SMILE_OPEN) == {E.REST: 0, E.SMILE_OPEN: 10}
    # The clip begins with the movement: rest can only come after it, and after the frame that still borders on it.
    assert choose(frames[10:], time_s[10:], E.SMILE_OPEN) == {E.REST: 6, E.SMILE_OPEN: 0}


@pytest.mark.parametrize(("at", "expected"), [(0.048, 21), (0.044, 11)])
def test_a_frame_from_the_front_is_preferred_where_it_shows_nine_tenths_of_the_movement(at, expected):
    frames, time_s = signals()
    frames[11:14, WIDTH] += 0.05
    frames[20:23, WIDTH] += at
    turned = (0, 1, 2, 11, 12, 13, 20)
    chosen = choose(frames, time_s, E.SMILE_OPEN, turned)
    assert chosen == {E.REST: 3, E.SMILE_OPEN: expected}


def test_of_a_head_that_is_always_turned_rest_is_where_it_is_turned_least():
    frames, time_s = signals()
    frames[20:23, WIDTH] += 0.05
    turned = np.full(30, 1.8)
    turned[[4, 5, 6, 20]] = (1.3, 1.2, 1.3, 1.1)
    chosen = choose_key_frames(frames, time_s, turned, E.SMILE_OPEN)
    assert chosen == {E.REST: 5, E.SMILE_OPEN: 20}


def test_a_lone_frame_from_the_front_is_no_rest_where_its_face_is_another():
    frames, time_s = signals(60)
    frames[40:50, WIDTH] += 0.05
    frames[3:6, LOWER] += 0.05
    assert choose(frames, time_s, E.SMILE_OPEN, turned=[one for one in range(60) if one != 4])[E.REST] not in (3, 4, 5)


def test_rest_is_a_calm_face_not_one_on_its_way():
    frames, time_s = signals()
    # The lips part and close for two seconds, through the same middle place where they rest for one second.
    frames[:20, LOWER] += 0.02 * np.sin(np.arange(20) * 1.1)
    assert choose(frames, time_s, E.REST)[E.REST] >= 20


@pytest.mark.parametrize("named", [None, E.EYES_TIGHT])
def test_rest_has_open_eyes_in_a_clip_that_mostly_shows_closed_ones(named):
    frames, time_s = signals()
    frames[6:26, FISSURE] = 0.01
    chosen = choose(frames, time_s, named)
    assert chosen[E.REST] < 6
    assert 6 <= chosen[named or E.EYES_GENTLE] < 26


def test_a_bad_frame_amid_a_held_movement_does_not_stand_for_it():
    frames, time_s = signals()
    frames[10:20, FISSURE] = 0.02
    frames[14, FISSURE] = 0.0
    assert choose(frames, time_s, E.EYES_GENTLE)[E.EYES_GENTLE] == 10
    assert choose(frames, time_s)[E.EYES_GENTLE] == 10


def test_frames_too_far_apart_to_confirm_each_other_are_taken_one_by_one():
    frames, _ = signals()
    frames[14, WIDTH] += 0.05
    assert choose(frames, np.arange(30) * 1.0, E.SMILE_OPEN) == {E.REST: 0, E.SMILE_OPEN: 14}


def test_rest_is_the_frame_nearest_to_the_median_face():
    frames, time_s = signals()
    frames += np.random.default_rng(3).normal(0, 0.01, frames.shape)
    frames[17] = np.median(frames, axis=0)
    assert choose(frames, time_s, E.REST) == {E.REST: 17}


class Played:
    """A detector and tracker for clips whose grey level says which of the faces is shown; level 0 shows none."""

    def __init__(self, faces):
        self.faces = faces

    def tracker(self):
        return self

    def update(self, picture):
        index = round(float(picture.mean()) / 8) - 1
        return self.faces[index].landmarks() if index >= 0 else None

    def detect(self, picture):
        from facialpalsy.detect import Detection

        landmarks = self.update(picture)
        if landmarks is None:
            raise NoFaceError("No face.")
        return Detection(landmarks, (100.0, 40.0, 200.0, 230.0))


@pytest.fixture
def read(tmp_path):
    """Film `order` (numbers of faces, -1 for none) at 10 frames a second and read the clip to its end."""

    def make(faces, order, *, named=None, cut=None, mirrored=Mirrored.NO):
        path = tmp_path / "clip.avi"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("mpeg4", rate=10, options={"qscale": "1"})
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
            for index in order:
                grey = np.full((64, 64, 3), 8 * (index + 1), np.uint8)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            output.mux(stream.encode())
        if cut is not None:
            path.write_bytes(path.read_bytes()[: int(cut * path.stat().st_size)])
        request = CaptureRequest(path, path.name, named, mirrored)
        reader = ClipReader(request, ExamHeader(), Settings(), Played(faces))
        return reader, list(reader.frames())

    return make


def smiling(hand, reach, up=0.0):
    face = hand.Face()
    for side in Side:
        face.shift("commissure", side, reach, up).shift("lower_lip_inner", side, 0, -up)
    return face


def test_every_frame_is_measured_and_key_frames_are_measured_anew(read, hand):
    faces = [hand.Face(), smiling(hand, 0.04, 0.02), smiling(hand, 0.08, 0.04)]
    reader, frames = read(faces, [0] * 6 + [1, 2, 2, 2, 1] + [0] * 6)
    assert [(one.frame, one.time_s) for one in frames] == [(n, pytest.approx(n / 10)) for n in range(17)]
    assert all(len(one.measures) == 16 for one in frames)
    captures, failures = reader.key_frames()
    assert failures == []
    found = {one.capture.expression: one.capture for one in captures}
    assert found[E.REST].frame in (0, 1, 2, 3, 4, 5, 11, 12, 13, 14, 15, 16)
    assert found[E.SMILE_OPEN].frame == 7
    assert found[E.SMILE_OPEN].time_s == pytest.approx(0.7)
    assert {one.kind for one in found.values()} == {"frame"}
    assert {one.sha256 for one in found.values()} == {file_sha256(reader.request.path)}
    assert "chosen as smile_open by its movement" in found[E.SMILE_OPEN].quality.reasons[-1]


def test_a_frame_without_a_face_says_so_and_a_turned_one_is_no_key_frame(read, hand):
    faces = [hand.Face(), smiling(hand, 0.08).turn(25), smiling(hand, 0.05)]
    reader, frames = read(faces, [0, 0, -1, 0, 1, 1, 2, 2, 0, 0, 0])
    assert [one.name for one in frames[2].measures] == ["face"]
    assert frames[2].measures[0].withheld == {"value": "no face was found in this frame"}
    assert len(frames[4].measures) == 16
    captures, _ = reader.key_frames()
    assert {one.capture.expression: one.capture.frame for one in captures}[E.SMILE_OPEN] == 6


@pytest.mark.parametrize(("degrees", "admitted"), [(9.3, False), (8.2, True)])
def test_a_frame_that_may_fail_the_pose_limit_when_measured_alone_is_no_key_frame(read, hand, degrees, admitted):
    # Yaw grows with the turn of the face by formula almost in proportion.
    turned = smiling(hand, 0.08).turn(degrees / (head_pose(hand.Face().turn(10).landmarks()).yaw / 10))
    assert head_pose(turned.landmarks()).yaw == pytest.approx(degrees, abs=0.3)
    reader, _ = read([hand.Face(), turned], [0, 0, 0, 0, 1, 1, 1, 0, 0, 0])
    captures, _ = reader.key_frames()
    assert (E.SMILE_OPEN in {one.capture.expression for one in captures}) is admitted


def test_a_frame_with_a_withheld_measure_does_not_spoil_the_choice(read, hand):
    broken = hand.Face()
    for side in Side:
        # Brows beyond the eyes: there is no brow above the middle of the canthi.
        broken.shift("brow_upper", side, 0.6, 0.2)
    raised = hand.Face()
    for side in Side:
        raised.shift("brow_upper", side, 0, 0.06)
    faces = [hand.Face(), broken, smiling(hand, 0.05), raised, smiling(hand, 0.02)]
    reader, frames = read(faces, [4, 4, 0, 1, 0, 2, 2, 0, 0, 3, 3, 0, 0, 0])
    assert {one.name: one.iod for one in frames[3].measures}["brow_to_canthus"] is None
    captures, _ = reader.key_frames()
    found = {one.capture.expression: one.capture.frame for one in captures}
    assert found.pop(E.REST) in (2, 4, 7, 8, 11, 12, 13)
    assert found == {E.BROW_RAISE: 9, E.SMILE_OPEN: 5}


def test_a_clip_without_a_frontal_face_is_refused(read, hand):
    reader, _ = read([hand.Face().turn(25)], [0, 0, -1])
    with pytest.raises(NoFaceError, match=r"None of the 3 frames of 'clip\.avi' shows a face from the front"):
        reader.key_frames()


def test_a_clip_that_breaks_off_gives_what_came_before_and_a_failure(read, hand):
    reader, frames = read([hand.Face(), smiling(hand, 0.05)], [0, 0, 1, 0] * 10, cut=0.6)
    assert 2 < len(frames) < 40
    captures, (failure,) = reader.key_frames()
    # The lips of the face by formula are 0.02 iod apart.
    assert [one.capture.expression for one in captures] == [E.REST, E.SMILE_OPEN]
    assert (failure.source, failure.error) == ("clip.avi", "UnreadableVideoError")


def test_a_clip_of_one_frame_with_a_named_movement_gives_that_frame(read, hand):
    reader, _ = read([hand.Face()], [0], named=E.SNARL)
    captures, failures = reader.key_frames()
    assert failures == []
    assert {one.capture.frame for one in captures} == {0}


def test_a_clip_that_is_no_clip_is_refused(tmp_path, hand):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"nothing of a clip")
    reader = ClipReader(CaptureRequest(path, "clip.mp4", None, Mirrored.NO), ExamHeader(), Settings(), Played([]))
    with pytest.raises(UnreadableVideoError, match=r"'clip\.mp4'"):
        list(reader.frames())
