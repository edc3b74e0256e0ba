"""Norms: the shipped table by what is known of it, tables read back as written, and foreign files refused."""

import json
from dataclasses import replace

import pytest

from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.norms import Z_LIMIT, ExpressionNorms, Norms, default_norms, read_norms, write_norms
from facialpalsy.errors import InputNotFoundError, NormsError
from facialpalsy.measure import DEFINITIONS, MOVEMENTS, OVERALL, REGIONS

TABLE = Norms(
    name="own",
    engine="mediapipe",
    scheme="mediapipe478",
    source="12 people",
    closed_fissure=0.02,
    expressions={"rest": ExpressionNorms(12, {"mrd1": 0.01}, {"eye": 1.5}, {}), "snarl": ExpressionNorms(10)},
)


@pytest.mark.parametrize(("engine", "scheme"), [("own", "dense"), ("mediapipe", "mediapipe478")])
def test_the_shipped_table_says_where_it_comes_from(engine, scheme):
    """52 people of the London set, CC BY 4.0, median age 25; neutral and smiling; no closed eyes."""
    norms = default_norms(engine)
    for words in ("52 people", "London", "CC BY 4.0", "median age 25"):
        assert words in norms.source
    assert (norms.engine, norms.scheme) == (engine, scheme)
    assert norms.closed_fissure is None
    assert set(norms.expressions) == {"rest", "smile_closed", "smile_open"}
    assert norms.expressions["rest"].people == 52
    assert sum(norms.expressions[name].people for name in ("smile_closed", "smile_open")) == 52
    assert Z_LIMIT == 1.96


@pytest.mark.parametrize("engine", ["own", "mediapipe"])
def test_the_shipped_table_speaks_of_measures_that_exist(engine):
    measures = {definition.name for definition in DEFINITIONS}
    moved = {definition.name: definition.expressions for definition in MOVEMENTS}
    for name, table in default_norms(engine).expressions.items():
        assert Expression(name)
        # Shut lips have no gap to differ in.
        assert table.measures.keys() == measures - ({"dental_show"} if name != "smile_open" else set())
        assert table.regions.keys() == {*REGIONS, OVERALL}
        assert all(name in moved[movement] for movement in table.movements)
        # Healthy faces are symmetric to within a few hundredths of the eye distance, or a few degrees.
        for measure, spread in table.measures.items():
            # Under a smile the fold is the steepest and the softest.
            most = 6 if measure == "nasolabial_fold_angle" else 5 if measure.endswith("angle") else 0.05
            assert 0 < spread < most, measure
        # A root mean square of z scores is 1 in the middle of the group; its 95th percentile lies above.
        assert all(1 < limit < 3 for limit in table.regions.values())


def test_a_table_is_read_as_it_was_written(tmp_path):
    write_norms(tmp_path / "own.json", TABLE)
    assert read_norms(tmp_path / "own.json") == TABLE
    open_ended = replace(TABLE, closed_fissure=None)
    write_norms(tmp_path / "own.json", open_ended)
    assert read_norms(tmp_path / "own.json") == open_ended


def test_a_table_holds_for_its_own_engine_and_scheme_only():
    assert TABLE.reason_against("mediapipe", "mediapipe478") is None
    for engine, scheme in (("file", "mediapipe478"), ("mediapipe", "ibug68")):
        reason = TABLE.reason_against(engine, scheme)
        assert "'own' were measured with mediapipe mediapipe478 points" in reason
        assert f"not with {engine} {scheme}" in reason
        assert "norms fit" in reason


def test_a_missing_table_is_said_by_name(tmp_path):
    with pytest.raises(InputNotFoundError, match=r"'none\.json' does not exist; check --norms") as error:
        read_norms(tmp_path / "none.json")
    assert str(tmp_path) not in str(error.value)


def written(**changes):
    data = json.loads(json.dumps({"schema": "facialpalsy.norms/1", **TABLE.__dict__}, default=lambda one: one.__dict__))
    return json.dumps({**data, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 5000,
        "{}",
        written(schema="facialpalsy.norms/2"),
        written(expressions=[]),
        written(expressions={"rest": {"people": 12, "measures": {"mrd1": 0}}}),
        written(expressions={"rest": {"people": 12, "measures": {"mrd1": -1}}}),
        written(expressions={"rest": {"people": 12, "measures": {"mrd1": "wide"}}}),
        written(expressions={"rest": {"people": 12, "measures": {"mrd1": float("nan")}}}),
        written(expressions={"rest": {"people": 12, "measures": {"mrd1": float("inf")}}}),
        written(expressions={"rest": {"people": 12, "measures": {"mrd1": True}}}),
        written(expressions={"rest": {"measures": {}}}),
        written(expressions={"rest": {"people": 12, "surprise": 1}}),
        written(expressions={"grin": {"people": 12}}),
        written(closed_fissure="wide"),
        written(closed_fissure=-1),
        written(closed_fissure=float("nan")),
    ],
)
def test_another_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / "own.json"
    path.write_text(text)
    with pytest.raises(NormsError, match=r"'own\.json' is not a table of healthy limits") as error:
        read_norms(path)
    assert str(tmp_path) not in str(error.value)


def test_a_table_that_the_test_wrote_is_good(tmp_path):
    """So that the refusals above are for what was changed."""
    (tmp_path / "own.json").write_text(written())
    assert read_norms(tmp_path / "own.json") == TABLE
