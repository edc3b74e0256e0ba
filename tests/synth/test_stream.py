"""Stream: every picture by its number, shared by workers, in the wanted proportions."""

import itertools

import numpy as np
import pytest

pytest.importorskip("numba")

from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import SyntheticPatientError
from facialpalsy.synth.population import Wanted, wanted_people
from facialpalsy.synth.shot import draw_shot
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
    wanted = wanted_people(120, 3, "a", {1: 3.0, 4: 1.0}, others=0.1, block=7)
    counts = [sum(one.grade == grade for one in wanted) for grade in (1, 4, None)]
    assert counts == [81, 27, 12]
    assert wanted != wanted_people(120, 3, "a", {1: 3.0, 4: 1.0}, others=0.1, block=8)


def test_a_person_is_drawn_once(model, monkeypatch):
    """A person is dearer than a picture: the nine pictures of one cost one draw."""
    drawn = []
    plain = Wanted.drawn
    monkeypatch.setattr(Wanted, "drawn", lambda *given: drawn.append(1) or plain(*given))
    seen(PatientStream(seed=3), 9)
    assert len(drawn) == 1


def test_the_settings_share_nobody(model):
    """Under one seed the people of `a` and `b` differ in name, face and looks."""
    one, other = (Wanted(1).drawn(4, 3, setting) for setting in "ab")
    assert one.subject != other.subject
    assert not np.isclose(one.identity, other.identity).any()
    assert draw_shot(one, Expression.REST, 0).look.seed != draw_shot(other, Expression.REST, 0).look.seed


@pytest.mark.parametrize(
    "wrong", [{"takes": 0}, {"worker": 2, "workers": 2}, {"position": -1}, {"setting": "d"}, {"others": 2}]
)
def test_an_impossible_stream_is_refused_at_once(wrong):
    with pytest.raises(SyntheticPatientError, match=r"impossible|allowed are|from 0 to 1"):
        PatientStream(seed=1, **wrong)
