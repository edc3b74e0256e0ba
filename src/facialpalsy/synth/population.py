"""Population: drawing patients, one of a wanted grade or many in wanted proportions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from facialpalsy.errors import SyntheticPatientError
from facialpalsy.synth.asymmetry import draw_asymmetry
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.muscles import MOTIONS
from facialpalsy.synth.palsy import Kind
from facialpalsy.synth.person import Patient, seeded
from facialpalsy.synth.reversal import reversed_somewhere
from facialpalsy.synth.severity import draw_palsy
from facialpalsy.synth.truth import exam_truth

GRADES = (1, 2, 3, 4, 5, 6)
BALANCED: Mapping[int, float] = dict.fromkeys(GRADES, 1.0)
_MOST_TRIES = 400
_LARGEST_COEFFICIENT = 2.5
_UNGRADED = (Kind.BILATERAL, Kind.CENTRAL, Kind.BRANCH)


def draw_patient(
    subject: str,
    seed: int,
    *,
    setting: str,
    grade: int | None = None,
    kind: Kind = Kind.PERIPHERAL,
    operated: bool = False,
) -> Patient:
    """One person, the same whenever the arguments are.

    Args:
        subject: Pseudonym; it seeds the person together with `seed`.
        seed: Seed of the corpus.
        setting: Setting, `a`, `b` or `c`.
        grade: House-Brackmann grade by the published rule, 1 (healthy) to 6; who misses it is drawn again. None for
            any palsy of `kind`.
        kind: Where the palsy comes from; only a peripheral one has a grade.
        operated: Whether the palsied side was operated on; then there is no grade.

    Raises:
        SyntheticPatientError: no such setting or grade, or a grade for a kind of palsy that has none.
    """
    _check(setting, grade, kind, operated)
    if grade == 1:
        kind = Kind.HEALTHY
    rng = seeded(seed, setting, subject, "person")
    patient = Patient(
        subject=subject,
        seed=seed,
        setting=setting,
        identity=rng.normal(0, 1, 100).clip(-_LARGEST_COEFFICIENT, _LARGEST_COEFFICIENT).astype(np.float32),
    )
    for _ in range(_MOST_TRIES):
        asymmetry = draw_asymmetry(rng)
        palsy = draw_palsy(rng, setting, kind, grade, operated=operated)
        patient = replace(patient, asymmetry=asymmetry, palsy=palsy)
        if _wanted(patient, grade):
            return patient
    raise SyntheticPatientError(
        f"No patient of grade {grade} was found in {_MOST_TRIES} draws of subject {subject!r}, seed {seed}; use "
        "another seed."
    )


def _wanted(patient: Patient, grade: int | None) -> bool:
    peripheral = patient.palsy.kind is Kind.PERIPHERAL and not patient.palsy.operations
    if grade is None and not peripheral:
        return True
    truth = exam_truth(face_model(), patient)
    if grade is not None and truth.grade != grade:
        return False
    return not peripheral or not reversed_somewhere(face_model(), patient, truth.labels)


@dataclass(frozen=True)
class Wanted:
    """What one person of a population is to have; see `draw_patient`."""

    grade: int | None = None
    kind: Kind = Kind.PERIPHERAL
    operated: bool = False

    def drawn(self, number: int, seed: int, setting: str) -> Patient:
        """Person `number` of a population; the name tells populations of other seeds and settings apart."""
        subject = f"{setting}{seed}-{number:05d}"
        return draw_patient(subject, seed, setting=setting, grade=self.grade, kind=self.kind, operated=self.operated)


def wanted_people(
    count: int,
    seed: int,
    setting: str,
    prevalence: Mapping[int, float] | None = None,
    others: float = 0.0,
    *,
    block: int = 0,
) -> list[Wanted]:
    """What each person of a population is to have, in random order.

    Args:
        count: How many.
        seed: Seed of the corpus.
        setting: Setting, `a`, `b` or `c`.
        prevalence: Grade -> weight; None for as many of each grade as of any other.
        others: Share of people whose palsy has no grade: of both sides, central, of one branch, or operated on.
        block: Which of several populations under one seed.

    Raises:
        SyntheticPatientError: a weight or share that is none, or a grade that is none.
    """
    weights = _weights(BALANCED if prevalence is None else prevalence)
    if not 0 <= others <= 1:
        raise SyntheticPatientError(f"The share of palsies without a grade is {others}; it must lie from 0 to 1.")
    without = round(count * others)
    operated = Wanted(operated=True)
    kinds = [*(Wanted(kind=kind) for kind in _UNGRADED), operated]
    wanted = [Wanted(grade) for grade in _shares(count - without, weights)]
    wanted += [kinds[number % len(kinds)] for number in range(without)]
    return [wanted[int(place)] for place in seeded(seed, setting, "order", block).permutation(count)]


def draw_patients(
    count: int, seed: int, setting: str, prevalence: Mapping[int, float] | None = None, others: float = 0.0
) -> Iterator[Patient]:
    """All people of a population; arguments as of `wanted_people`."""
    for number, wanted in enumerate(wanted_people(count, seed, setting, prevalence, others)):
        yield wanted.drawn(number, seed, setting)


def _shares(count: int, weights: Mapping[int, float]) -> list[int]:
    """`count` grades in these proportions, as evenly as whole people allow."""
    total, given, grades = sum(weights.values()), 0.0, []
    for grade, weight in weights.items():
        before, given = round(count * given / total), given + weight
        grades += [grade] * (round(count * given / total) - before)
    return grades


def _weights(prevalence: Mapping[int, float]) -> dict[int, float]:
    for grade, weight in prevalence.items():
        if grade not in GRADES:
            raise SyntheticPatientError(f"There is no House-Brackmann grade {grade!r}; give weights for grades 1 to 6.")
        if not weight >= 0 or weight == float("inf"):
            raise SyntheticPatientError(f"The weight of grade {grade} is {weight}; give a number from 0.")
    if not sum(prevalence.values()) > 0:
        raise SyntheticPatientError("All weights of the grades are 0; give at least one grade a weight above 0.")
    return {grade: prevalence[grade] for grade in sorted(prevalence)}


def check_setting(setting: str) -> None:
    """Raise a SyntheticPatientError unless there is a setting of that name."""
    if setting not in MOTIONS:
        raise SyntheticPatientError(f"There is no setting {setting!r} of synthetic patients; allowed are a, b and c.")


def _check(setting: str, grade: int | None, kind: Kind, operated: bool) -> None:
    check_setting(setting)
    if grade is not None and grade not in GRADES:
        raise SyntheticPatientError(f"There is no House-Brackmann grade {grade!r}; allowed are 1 to 6.")
    if grade is not None and (operated or kind not in (Kind.PERIPHERAL, Kind.HEALTHY)):
        raise SyntheticPatientError(
            f"A {'palsy of an operated face' if operated else f'{kind} palsy'} has no House-Brackmann grade; leave the "
            "grade out."
        )
    if kind is Kind.HEALTHY and (operated or grade not in (None, 1)):
        raise SyntheticPatientError("A healthy person has grade 1 and no operation; give kind peripheral for a palsy.")
