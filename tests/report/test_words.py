"""Words: names for people, and names that somebody gave left as they are."""

import pytest

from facialpalsy.assessment import MEASURE_TITLES, MOVEMENT_TITLES
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.scales import ITEMS
from facialpalsy.report.words import (
    EXPRESSION_TITLES,
    brief,
    item_title,
    number,
    plain_reason,
    sentence,
    value_title,
)

MINUS = "\N{MINUS SIGN}"


def test_every_name_of_the_contract_has_one_for_people():
    assert set(EXPRESSION_TITLES) == set(Expression)
    for name in (*MEASURE_TITLES, *MOVEMENT_TITLES):
        assert "_" not in value_title(name)
    for name in ITEMS:
        title = item_title(name.partition(".")[0], name)
        assert title[0].isupper()
        assert not {"_", "."} & set(title)
        assert "Nlf" not in title


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("fngs2.nlf", "Nasolabial fold"),
        ("sunnybrook.movement.smile_open", "Movement: open smile"),
        ("sunnybrook.rest.eye", "Rest: eye"),
        ("eface.palpebral_rest", "Palpebral fissure at rest"),
        ("house_brackmann.rest_asymmetry", "Asymmetry at rest (1 is present)"),
    ],
)
def test_items_are_named_for_people(name, title):
    assert item_title(name.partition(".")[0], name) == title


@pytest.mark.parametrize(
    "text",
    [
        "The same picture as 'smile_open-2.jpg', not a second take.",
        'The same picture as "it\'s smile_open 2.jpg", not a second take.',
        "See smile_open-2.jpg, x/brow_raise, brow_raise/x, my-smile_open and rest.brow_height.",
        "smile_open.jpg is no picture.",
    ],
)
def test_names_of_files_stay_as_they_are(text):
    assert sentence(text) == text
    assert plain_reason(text) == text


def test_code_names_in_prose_become_names_for_people():
    assert sentence("less in smile_fold, eyes_tight") == "Less in fold in the open smile, tight eye closure."
    assert sentence("smile_open: the subject's own brow_height.") == (
        "Open smile: the subject's own brow height above the pupil."
    )


def test_one_reason_for_all_measures_and_expressions():
    reasons = [f"'demo' has no healthy limits for {name} in {where}" for name in MEASURE_TITLES for where in Expression]
    assert {plain_reason(reason) for reason in reasons} == {
        "'demo' has no healthy limits for this measure in this expression."
    }


def test_numbers_have_a_real_minus_and_no_zero_has_a_sign():
    assert number(-0.0004, 3, sign=True) == "0.000"
    assert number(-1.26, 1, sign=True) == f"{MINUS}1.3"
    assert (brief(-0.0), brief(-0.3584), brief(77.66)) == ("0", f"{MINUS}0.358", "77.7")
    assert sentence("it moved -0.000 iod, and -0.010 before") == "It moved 0.000 iod, and -0.010 before."
