"""Side: the subject's own sides, and what the mirroring of a capture allows to say."""

import pytest

from facialpalsy.face import Mirrored, ReferenceSide, Side, SideFrame


def test_sides_are_each_others_opposite():
    assert Side.LEFT.other is Side.RIGHT
    assert Side.RIGHT.other is Side.LEFT
    assert (Side.LEFT.sign, Side.RIGHT.sign) == (1, -1)


@pytest.mark.parametrize(
    ("mirrored", "frame"),
    [(Mirrored.NO, SideFrame.SUBJECT), (Mirrored.YES, SideFrame.SUBJECT), (Mirrored.UNKNOWN, SideFrame.IMAGE)],
)
def test_only_unknown_mirroring_costs_the_subjects_sides(mirrored, frame):
    assert SideFrame.of(mirrored) is frame


@pytest.mark.parametrize(
    ("reference", "side"),
    [("left", Side.LEFT), ("right", Side.RIGHT), ("both", None), ("none", None), ("unknown", None)],
)
def test_one_reference_side_or_none(reference, side):
    assert ReferenceSide(reference).side is side
