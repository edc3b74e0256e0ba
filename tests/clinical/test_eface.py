"""eFACE: the formulas of the clinical reference, section 1.4, worked by hand."""

import pytest

from facialpalsy.clinical.evidence import ClosureEvidence, MovementEvidence, RestEvidence, SynkinesisEvidence
from facialpalsy.clinical.scales import grade
from facialpalsy.clinical.scales.eface import static_score


def items(evidence):
    return {item.name.removeprefix("eface."): item for item in grade(evidence)["eface"].items}


@pytest.mark.parametrize(("value", "score"), [(0, 0), (90, 90), (100, 100), (110, 90), (200, 0)])
def test_static_score_is_the_distance_from_balance(value, score):
    assert static_score(value) == score


def test_total_is_the_mean_of_ten_items(exam):
    evidence = exam(
        movements={
            "brow_raise": MovementEvidence(0.5, z=0.0),
            "smile_open": MovementEvidence(0.4, z=0.0),
            "lower_teeth": MovementEvidence(-0.1, z=0.0),
        },
        closures={"eyes_gentle": ClosureEvidence(0.02, 0.0, 0.01, affected_open=0.1)},
        rest={"brow": RestEvidence(0.0, 0.9), "eye": RestEvidence(0.0, 1.25), "mouth": RestEvidence(0.0, 1.1)},
        synkinesis={"smile_open": SynkinesisEvidence(0.1, True), "pucker": SynkinesisEvidence(0.3, True)},
        ratings={"eface.nlf_rest": 50},
    )
    found = items(evidence)
    expected = {
        "brow_rest": 90, "palpebral_rest": 80, "nlf_rest": 50, "commissure_rest": 110, "brow_elevation": 50,
        "gentle_closure": 80, "full_closure": 100, "commissure_smile": 40, "lower_lip": 0, "ocular": 70,
    }  # fmt: skip
    assert {name: found[name].value for name in expected} == pytest.approx(expected)
    # 110 counts as 90: (90 + 80 + 50 + 90 + 50 + 80 + 100 + 40 + 0 + 70) / 10.
    assert grade(evidence)["eface"].estimate == pytest.approx(65)


def test_what_landmarks_do_not_show_is_a_raters_only(exam):
    found = items(exam())
    for name in ("nlf_rest", "nlf_depth_smile", "nlf_orientation_smile", "mentalis", "platysmal"):
        assert found[name].withheld == "not visible from landmarks; a rater can give it"
    assert len(found) == 15
    assert grade(exam())["eface"].interval == (90, 100)


def test_an_undefined_item_stays_undefined(exam):
    still = MovementEvidence(None, reasons={"ratio": "the reference side did not move"})
    evidence = exam(movements={"brow_raise": still}, ratings={"eface.nlf_rest": 100})
    assert items(evidence)["brow_elevation"].withheld == "brow_raise: the reference side did not move"
    assert grade(evidence)["eface"].interval == (90, 100)
    unopened = {"eyes_tight": ClosureEvidence(0.02, 0.0, 0.01)}
    assert "not measured at rest" in items(exam(closures=unopened))["full_closure"].withheld


def test_a_biased_engine_widens_an_item_downwards(exam):
    found = items(exam(movements={"smile_open": MovementEvidence(0.8, z=0.0, slope=0.5)}))
    assert found["commissure_smile"].interval == pytest.approx((60, 80))
    resting = items(exam(rest={"brow": RestEvidence(0.0, 0.9, slope=0.5)}))
    assert resting["brow_rest"].interval == pytest.approx((80, 90))


def test_an_eye_with_no_fissure_at_rest_is_at_the_tight_end(exam):
    assert items(exam(rest={"eye": RestEvidence(0.0, 0.0)}))["palpebral_rest"].value == 200
