"""Closure: eyes left open by known amounts; the hand-made fissure at rest is 0.12 iod high, an iod 90 mm long."""

from dataclasses import replace

import pytest

from facialpalsy.analysis.closure import closures
from facialpalsy.analysis.request import ExamHeader
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import Mirrored, ReferenceSide, Side, SideFrame

E = Expression
NONE = ExamHeader()


@pytest.fixture
def shut(hand):
    def make(left, right, expression=E.EYES_TIGHT, **given):
        face = hand.Face().open_eye(Side.LEFT, left).open_eye(Side.RIGHT, right)
        return hand.capture(face.landmarks(), expression, **given)

    return make


@pytest.fixture
def rest(hand):
    def make(**given):
        return hand.capture(hand.Face().landmarks(), E.REST, **given)

    return make


@pytest.fixture
def found(exam, hand):
    def make(*captures, header=None, norms=hand.NORMS):
        result = exam.assess(list(captures), **({} if header is None else {"header": header}))
        return closures([one.capture for one in result.captures], result.exam, norms)

    return make


def sides(given):
    return pytest.approx((given[0], given[1], given[0] - given[1]), abs=1e-6)


def told(one):
    return (one.left, one.right, one.difference)


def test_each_eye_is_told_in_iod_in_mm_and_as_a_share_of_its_own_fissure(rest, shut, found, hand):
    (one,) = found(rest(), shut(0.06, 0.012))
    assert (one.expression, one.source, one.frame) == (E.EYES_TIGHT, "eyes_tight.png", None)
    assert told(one.iod) == sides((0.06, 0.012))
    assert told(one.mm) == pytest.approx([value * hand.MM_PER_IOD for value in (0.06, 0.012, 0.048)], rel=1e-6)
    assert told(one.closed_share) == sides((0.5, 0.9))
    assert (one.limit_iod, one.limit_measured) == (0.02, True)
    assert one.limit_mm == pytest.approx(0.02 * hand.MM_PER_IOD)
    assert one.open_sides == (Side.LEFT,)
    assert one.withheld == {}


def test_a_limit_that_nobody_measured_is_assumed(rest, shut, found, hand):
    (one,) = found(rest(), shut(0.004, 0.004), norms=replace(hand.NORMS, closed_fissure=None))
    assert one.limit_measured is False
    assert one.limit_iod == 0.025
    assert one.open_sides == ()


def test_a_limit_that_was_measured_with_another_engine_does_not_hold(rest, shut, found, hand):
    (one,) = found(rest(), shut(0.022, 0.022), norms=replace(hand.NORMS, engine="mediapipe"))
    assert (one.limit_iod, one.limit_measured) == (0.025, False)
    assert one.open_sides == ()


def test_the_best_attempt_is_that_in_which_the_affected_eye_closes_furthest(rest, shut, found):
    (one,) = found(rest(), shut(0.06, 0.002, name="a.png"), shut(0.03, 0.015, name="b.png"))
    assert (one.source, one.iod.left) == ("b.png", pytest.approx(0.03))


def test_without_a_reference_side_it_is_that_in_which_the_wider_eye_is_closed_furthest(rest, shut, found):
    (one,) = found(rest(), shut(0.002, 0.05, name="a.png"), shut(0.03, 0.015, name="b.png"), header=NONE)
    assert (one.source, one.open_sides) == ("b.png", (Side.LEFT,))


def test_an_unusable_attempt_is_told_with_its_reason(rest, shut, found):
    """The reference eye, the right one, stays open."""
    gentle, tight = found(rest(), shut(0.004, 0.05), shut(0.004, 0.004, E.EYES_GENTLE))
    assert (gentle.expression, gentle.withheld) == (E.EYES_GENTLE, {})
    assert (tight.iod, tight.mm, tight.closed_share, tight.source, tight.open_sides) == (None, None, None, None, ())
    assert "reference) eye" in tight.withheld["value"]


def test_without_rest_there_is_no_share_and_no_scale_of_closed_eyes(shut, found):
    (one,) = found(shut(0.004, 0.004), header=NONE)
    assert told(one.iod) == sides((0.004, 0.004))
    assert one.closed_share is one.mm is one.limit_mm is None
    assert set(one.withheld) == {"closed_share", "mm"}


def test_what_was_not_taken_is_no_entry(rest, found):
    assert found(rest()) == ()


def test_of_unknown_mirroring_left_is_the_images_left_half(rest, shut, found):
    """There an unmirrored picture shows the subject's right side."""
    unknown = {"mirrored": Mirrored.UNKNOWN}
    (one,) = found(rest(**unknown), shut(0.06, 0.012, **unknown), header=NONE)
    assert told(one.iod) == sides((0.012, 0.06))
    assert told(one.closed_share) == sides((0.9, 0.5))
    assert one.open_sides == (Side.RIGHT,)


def test_one_capture_of_unknown_mirroring_makes_all_of_them_halves_of_the_image(rest, shut, found, hand):
    unknown = hand.capture(hand.Face().landmarks(), E.SNARL, mirrored=Mirrored.UNKNOWN)
    captures = rest(), shut(0.06, 0.012), unknown
    (one,) = found(*captures, header=ExamHeader(reference_side=ReferenceSide.RIGHT))
    assert captures[1].capture.side_frame is SideFrame.SUBJECT
    assert told(one.iod) == sides((0.012, 0.06))
    assert told(one.closed_share) == sides((0.9, 0.5))


def test_the_mirrored_face_exchanges_the_sides(rest, shut, found):
    (one,), (other,) = (found(rest(), shut(*gaps), header=NONE) for gaps in ((0.06, 0.012), (0.012, 0.06)))
    for name in ("iod", "mm", "closed_share"):
        assert told(getattr(other, name)) == pytest.approx(told(getattr(one, name).exchanged()), abs=1e-6)
