"""Patterns of both sides, a spared forehead and one branch: a remark on every scale, by z or else by the ratio."""

from dataclasses import replace

import pytest

from facialpalsy.clinical.evidence import ClosureEvidence, MovementEvidence
from facialpalsy.clinical.scales import grade

SCALES = ("fngs2", "house_brackmann", "sunnybrook", "eface")
BOTH = "Zones are weaker on both sides"
SPARED = "The forehead is spared"
OPEN = {"eyes_gentle": ClosureEvidence(0.03, 0.0, 0.01), "eyes_tight": ClosureEvidence(0.02, 0.0, 0.01)}


def moved(ratio, z=None):
    return MovementEvidence(ratio, z=z)


def pattern(evidence):
    """The one sentence that all four scales say, and that House-Brackmann is withheld for."""
    graded = grade(evidence)
    said = [{note for note in graded[scale].notes if "pattern" in note or BOTH in note} for scale in SCALES]
    assert said.count(said[0]) == len(SCALES)
    assert len(said[0]) <= 1
    if not said[0]:
        return None
    (found,) = said[0]
    assert graded["house_brackmann"].withheld == f"{found} House-Brackmann is not defined for it."
    return found


@pytest.mark.parametrize("mouth", [moved(3.3, -3.4), moved(3.3)])
def test_a_weak_forehead_opposite_a_weak_mouth_is_a_pattern_of_both_sides_with_and_without_limits(exam, mouth):
    assert pattern(exam(movements={"brow_raise": moved(0.10), "smile_open": mouth})) == (
        "Zones are weaker on both sides: the forehead on the affected side, the mouth on the reference side, as in "
        "bilateral palsy or contracture; comparing the sides understates it."
    )


@pytest.mark.parametrize(
    ("brow", "mouth", "both"),
    [
        (0.89, 1.34, True),
        (0.90, 1.34, False),
        (0.89, 1.33, False),
    ],
)
def test_without_limits_behind_is_below_090_and_ahead_above_1_over_075(exam, brow, mouth, both):
    found = pattern(exam(movements={"brow_raise": moved(brow), "smile_open": moved(mouth)}))
    assert (found is not None) == both


def test_with_limits_the_ratio_does_not_count(exam):
    assert pattern(exam(movements={"brow_raise": moved(0.6, 1.9), "smile_open": moved(1.6, -1.9)})) is None


def test_a_difference_within_its_noise_is_on_neither_side(exam):
    movements = {"brow_raise": moved(0.6), "smile_open": replace(moved(2.0), within_noise=True)}
    assert pattern(exam(movements=movements)) is None


def test_the_other_side_as_reference_shows_the_same_pattern_with_the_sides_exchanged(exam):
    movements = {"brow_raise": moved(0.5), "smile_open": moved(2.0, -3.0)}
    other = {name: moved(1 / one.ratio, None if one.z is None else -one.z) for name, one in movements.items()}
    assert "the forehead on the affected side, the mouth on the reference" in pattern(exam(movements=movements))
    assert "the mouth on the affected side, the forehead on the reference" in pattern(exam(movements=other))


def test_an_open_eye_opposite_a_weak_snarl_without_limits_is_of_both_sides(exam):
    found = pattern(exam(movements={"snarl": moved(1.5)}, closures=OPEN))
    assert "the eye on the affected side, the midface on the reference side" in found


def test_a_reference_side_that_alone_did_not_move_is_the_weaker_one(exam):
    still = MovementEvidence(None, reference_still=True)
    found = pattern(exam(movements={"snarl": still, "smile_open": moved(0.6, 3.0)}))
    assert "the mouth on the affected side, the midface on the reference side" in found


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"movements": {"smile_open": moved(0.4, 5.0)}}, "a central or branch pattern."),
        ({"movements": {"brow_raise": moved(0.4, 5.0)}}, "The forehead alone is weaker"),
        ({"closures": OPEN}, "The eye alone is weaker"),
    ],
)
def test_the_other_patterns_stand_on_every_scale_too(exam, changes, said):
    assert said in pattern(exam(**changes))


def notes(evidence):
    return [" ".join(grade(evidence)[scale].notes) for scale in SCALES]


def test_no_pattern_is_made_of_what_was_not_seen(exam):
    weak_brow = {"brow_raise": moved(0.4, 5.0)}
    # The eye, or the mouth, may be as weak as the forehead.
    for lost in ("eyes_gentle", "eyes_tight", "smile_open"):
        assert not any("alone" in one for one in notes(exam(movements=weak_brow, without=(lost,))))
    for lost in (MovementEvidence(None), MovementEvidence(None, z=0.5)):
        weak_mouth = {"smile_open": moved(0.4, 5.0), "brow_raise": lost}
        assert not any("pattern" in one for one in notes(exam(movements=weak_mouth)))
    assert not any(SPARED in one for one in notes(exam(movements={"smile_open": moved(0.4, 5.0)}, barred="No sides.")))


def test_a_pattern_is_remarked_where_house_brackmann_lacks_a_capture(exam):
    both = {"brow_raise": moved(0.5), "smile_open": moved(2.0)}
    evidence = exam(movements=both, without=("eyes_tight",))
    assert all(BOTH in one for one in notes(evidence))
    assert "eyes_tight: not taken" in grade(evidence)["house_brackmann"].withheld
