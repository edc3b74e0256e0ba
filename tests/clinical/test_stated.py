"""Results are stated to three digits, so that ends that differ by less are one number."""

import pytest

from facialpalsy.clinical.evidence import MovementEvidence, RestEvidence
from facialpalsy.clinical.scales import grade
from facialpalsy.clinical.scales.result import Span, stated


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (Span(1, 1), (1, None)),
        (Span(1.0, 0.9999999), (1, None)),
        (Span(0.9996, 1.0), (1, None)),
        (Span(0.999, 1.0), (None, (0.999, 1))),
        (Span(99.96, 100), (100, None)),
        (Span(99.9, 100), (None, (99.9, 100))),
        (Span(89.99999999999999, 90), (90, None)),
        (Span(1e-16, 0.0), (0, None)),
        (Span(5, 2), (None, (2, 5))),
        (Span(2 / 3, 2 / 3), (0.667, None)),
    ],
)
def test_one_number_where_both_ends_are_the_same_to_three_digits(span, expected):
    assert stated(span) == expected


def test_no_item_is_an_interval_from_a_number_to_itself(exam):
    # 1 - 0.0001 / 0.5 = 0.9998 in the worst case.
    almost = {name: MovementEvidence(0.9999, z=0.0, slope=0.5) for name in ("brow_raise", "smile_open")}
    evidence = exam(movements=almost, rest={"brow": RestEvidence(0.0, 0.9), "mouth": RestEvidence(0.0, 0.9 - 1e-16)})
    items = {item.name: item for found in grade(evidence).values() for item in found.items}
    for name in ("house_brackmann.forehead", "house_brackmann.mouth"):
        assert (items[name].value, items[name].interval) == (1, None)
    for name in ("eface.brow_elevation", "eface.commissure_smile"):
        assert (items[name].value, items[name].interval) == (100, None)
    for name in ("eface.brow_rest", "eface.commissure_rest"):
        assert items[name].value == 90
