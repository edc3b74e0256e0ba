"""Expressions: which file names state one, and the published orders."""

import pytest

from facialpalsy.clinical.expressions import ORDERS, Expression
from facialpalsy.errors import UsageError


@pytest.mark.parametrize(
    ("stem", "expression"),
    [
        ("rest", "rest"),
        ("03_smile_open-2", "smile_open"),
        ("Smile Open", "smile_open"),
        ("P7-EYES-TIGHT", "eyes_tight"),
        ("brow.raise", "brow_raise"),
        ("lower__teeth", "lower_teeth"),
        ("pucker2", "pucker"),
        ("snarl (1)", "snarl"),
        ("Ärztin_rest", "rest"),
        # Parts of other words are no expression.
        ("forest", None),
        ("resting", None),
        ("smile", None),
        ("eyes", None),
        ("", None),
        ("42", None),
        ("лицо", None),
        # Two expressions state none.
        ("rest_to_snarl", None),
    ],
)
def test_names_of_files(stem, expression):
    assert Expression.from_name(stem) == expression


@pytest.mark.parametrize("expression", Expression)
def test_every_expression_is_found_by_its_own_name(expression):
    assert Expression.from_name(expression) is expression
    assert Expression.from_name(f"2026-03-01_{expression.replace('_', '-')}_2") is expression
    assert Expression.parse(f" {expression.upper()} ") is expression


@pytest.mark.parametrize("text", ["smile_open", "smile open", "Smile-Open", " SMILE \t open\n", "smile - open"])
def test_a_table_may_write_blanks_or_hyphens_for_underscores(text):
    assert Expression.parse(text) is Expression.SMILE_OPEN


def test_an_unknown_expression_suggests_the_nearest():
    with pytest.raises(UsageError, match=r"Unknown expression 'smile_opne'\. Did you mean 'smile_open'\?"):
        Expression.parse("smile_opne")
    with pytest.raises(UsageError, match="Allowed are rest, brow_raise, eyes_gentle"):
        Expression.parse("zzz")


def test_the_nine_expressions_of_an_exam_in_their_order():
    assert list(Expression) == [
        "rest", "brow_raise", "eyes_gentle", "eyes_tight", "smile_closed", "smile_open", "snarl", "pucker",
        "lower_teeth",
    ]  # fmt: skip
    assert ORDERS["exam"] == tuple(Expression)


def test_the_order_of_the_meei_set():
    """Greene 2020: rest, brow, gentle, tight, small smile, large smile, pucker, lower teeth."""
    assert ORDERS["meei"] == (
        "rest", "brow_raise", "eyes_gentle", "eyes_tight", "smile_closed", "smile_open", "pucker", "lower_teeth",
    )  # fmt: skip
