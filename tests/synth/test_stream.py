"""Stream: every picture by its number, shared by workers, in the wanted proportions."""

import itertools

import pytest

pytest.importorskip("numba")

from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import SyntheticPatientError
from facialpalsy.synth.population import wanted_people
from facialpalsy.synth.stream import PatientStream


def seen(pictures, count):
    taken = itertools.islice(pictures, count)
    return [(one.shot.patient.subject, one.shot.take.expression, one.frame.stored) for one in taken]


def test_a_stream_goes_on_where_it_stopped(model):
    whole = seen(PatientStream(seed=3), 12)
    stopped = PatientStream(seed=3)
    first = seen(stopped, 7)
    assert stopped.position == 7
    assert first + seen(PatientStream(seed=3, position=7), 5) == whole


def test_a_person_after_the_other_in_all_expressions(model):
    found = seen(PatientStream(seed=3), 10)
    assert [expression for _, expression, _ in found[:9]] == list(Expression)
    assert len({subject for subject, _, _ in found[:9]}) == 1
    assert found[9][0] != found[0][0]


def test_workers_render_other_people_of_the_same_stream(model):
    alone = PatientStream(seed=3)
    shares = [PatientStream(seed=3, worker=worker, workers=2) for worker in range(2)]
    nine = len(Expression)
    for person in range(4):
        share = shares[person % 2]
        one, other = alone.picture(person * nine), share.picture(person // 2 * nine)
        assert one.shot.patient.subject == other.shot.patient.subject
        assert one.frame.stored == other.frame.stored


def test_grades_have_their_weights_in_every_block():
    wanted = wanted_people(120, 3, {1: 3.0, 4: 1.0}, others=0.1, block=7)
    counts = [sum(one.grade == grade for one in wanted) for grade in (1, 4, None)]
    assert counts == [81, 27, 12]
    assert wanted != wanted_people(120, 3, {1: 3.0, 4: 1.0}, others=0.1, block=8)


@pytest.mark.parametrize("wrong", [{"takes": 0}, {"worker": 2, "workers": 2}, {"position": -1}])
def test_an_impossible_stream_is_refused(wrong):
    with pytest.raises(SyntheticPatientError, match="impossible"):
        PatientStream(seed=1, **wrong)
