"""Law: worsening any movement, closure or involuntary change never improves a scale."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from facialpalsy.clinical.evidence import (
    ClosureEvidence,
    ExamEvidence,
    MovementEvidence,
    RestEvidence,
    SynkinesisEvidence,
)
from facialpalsy.clinical.scales import grade
from facialpalsy.clinical.scales.cases import resolve
from facialpalsy.clinical.scales.fngs2 import eye_score, region_score
from facialpalsy.clinical.scales.house_brackmann import grade_of
from facialpalsy.clinical.scales.sunnybrook import movement_item

NAMES = ("brow_raise", "eyes_gentle", "eyes_tight", "smile_open", "snarl", "smile_fold", "pucker", "lower_teeth")
BEST_IS_HIGH = {"fngs2": False, "house_brackmann": False, "sunnybrook": True, "eface": True}
# Borders of the rules, so that they are hit exactly.
RATIOS = st.one_of(st.sampled_from([0.05, 0.1, 0.25, 0.4, 0.5, 0.7, 0.75, 0.9, 1.0]), st.floats(-0.5, 1.5))
SLOPES = st.sampled_from([0.05, 0.44, 0.79, 0.8, 1.0])
ZS = st.one_of(st.none(), st.floats(-4, 8))

NOISES = st.one_of(st.none(), st.floats(0, 1))
MOVEMENT = st.builds(MovementEvidence, RATIOS, NOISES, ZS, SLOPES, within_noise=st.booleans())
GAP, SHUT = st.floats(0, 0.1), st.floats(0, 0.008)
CLOSURE = st.builds(
    ClosureEvidence,
    GAP,
    SHUT,
    st.sampled_from([0.01, 0.025]),
    SLOPES,
    st.just(0.1),
    limit_measured=st.booleans(),
    within_noise=st.booleans(),
)
REST = st.builds(RestEvidence, ZS, st.one_of(st.none(), st.floats(0.2, 2)), SLOPES, within_noise=st.booleans())
SYNKINESIS = st.builds(SynkinesisEvidence, st.floats(0, 1), st.sampled_from([None, True, False]), SLOPES)


def some_of(required, names, values):
    optional = {name: values for name in names if name not in required}
    return st.fixed_dictionaries(dict.fromkeys(required, values), optional=optional)


def exams(movements=(), closures=(), rest=()):
    return st.builds(
        ExamEvidence,
        some_of(movements, NAMES, MOVEMENT),
        some_of(closures, ("eyes_gentle", "eyes_tight"), CLOSURE),
        some_of(rest, ("brow", "eye", "fold", "mouth"), REST),
        some_of((), NAMES[:5], SYNKINESIS),
        st.just({}),
    )


GRADABLE = exams(("brow_raise", "smile_open"), ("eyes_gentle", "eyes_tight"), ("mouth",))
ANY = st.one_of(GRADABLE, exams(movements=("smile_open",)))


def ends(evidence):
    """Per scale (lowest, highest), oriented so that more is worse; withheld scales are left out."""
    found = {}
    for name, result in grade(evidence).items():
        assert sum(value is not None for value in (result.estimate, result.interval, result.withheld)) == 1
        if result.withheld is None:
            low, high = result.interval or (result.estimate, result.estimate)
            found[name] = (-high, -low) if BEST_IS_HIGH[name] else (low, high)
    return found


def assert_not_better(before, after):
    first, second = ends(before), ends(after)
    for name in first.keys() & second.keys():
        for was, now in zip(first[name], second[name], strict=True):
            assert now >= was - 1e-9, name


@settings(max_examples=400, deadline=None)
@given(ANY, st.data(), st.floats(0.001, 1.0))
def test_worsening_a_movement(evidence, data, loss):
    name = data.draw(st.sampled_from(sorted(evidence.movements)))
    worse = replace(evidence.movements[name], ratio=evidence.movements[name].ratio - loss)
    assert_not_better(evidence, replace(evidence, movements={**evidence.movements, name: worse}))


@settings(max_examples=200, deadline=None)
@given(ANY, st.sampled_from(["eyes_gentle", "eyes_tight"]), st.floats(0.001, 0.1))
def test_a_wider_gap_or_more_involuntary_change(evidence, name, more):
    if name in evidence.closures:
        wider = replace(evidence.closures[name], affected_gap=evidence.closures[name].affected_gap + more)
        assert_not_better(evidence, replace(evidence, closures={**evidence.closures, name: wider}))
    for expression, found in evidence.synkinesis.items():
        stronger = replace(found, share=found.share + 5 * more)
        assert_not_better(evidence, replace(evidence, synkinesis={**evidence.synkinesis, expression: stronger}))


SMALL = st.floats(-2.2, 2.2)
MILD = st.builds(
    ExamEvidence,
    some_of(NAMES, (), st.builds(MovementEvidence, st.floats(0.7, 1.3), NOISES, SMALL, within_noise=st.booleans())),
    some_of(("eyes_gentle", "eyes_tight"), (), st.builds(ClosureEvidence, st.floats(0, 0.012), SHUT, st.just(0.01))),
    some_of(("brow", "eye", "mouth"), (), st.builds(RestEvidence, SMALL, st.floats(0.8, 1.2))),
    some_of(NAMES[:5], (), st.builds(SynkinesisEvidence, st.floats(0, 0.1), st.booleans())),
    st.just({}),
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(GRADABLE, MILD))
def test_grade_one_is_certain_only_where_nothing_lies_beyond_limits(evidence):
    result = grade(evidence)["house_brackmann"]
    if result.estimate == 1:
        assert result.notes[0] == "No asymmetry beyond healthy limits in this exam, as far as this rule looks."
        for found in (*evidence.movements.values(), *evidence.rest.values()):
            assert found.z is None or abs(found.z) <= 1.96
        assert all(closure.affected_gap <= closure.healthy_limit for closure in evidence.closures.values())
        assert not any(found.beyond_limits and found.share > 0 for found in evidence.synkinesis.values())
    else:
        assert not any("No asymmetry" in note for note in result.notes)


@settings(max_examples=300, deadline=None)
@given(ANY)
def test_the_worst_case_is_never_milder_than_the_best(evidence):
    cases = resolve(evidence)
    for midface in ("snarl", "smile_fold"):
        assert grade_of(cases.worst, midface, 0) >= grade_of(cases.best, midface, 0)
    eye = cases.span(eye_score)
    assert eye is None or eye.worst >= eye.best
    for name, open_at_best in cases.best.incomplete.items():
        assert cases.worst.incomplete[name] >= open_at_best
    for name in cases.best.closed.keys() & cases.worst.closed.keys():
        assert cases.worst.closed[name] <= cases.best.closed[name]
    for name, best in cases.best.moved.items():
        worst = cases.worst.moved[name]
        assert movement_item(worst, worst=True) <= movement_item(best)
        for rest in (False, True):
            assert region_score(worst, asymmetric_at_rest=True, worst=True) >= region_score(
                best, asymmetric_at_rest=rest
            )
