"""Stream: synthetic patients rendered as they are asked for, without end; no corpus on disk is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import SyntheticPatientError
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.patient import Patient
from facialpalsy.synth.population import check_setting, wanted_people
from facialpalsy.synth.shot import Photograph, draw_shot, photograph

_BLOCK = 120
"""People in whose number the grades have their proportions."""


@dataclass
class PatientStream:
    """Pictures of ever new people, person after person, all expressions of each.

    Picture `i` depends on the settings and on `i` alone, so a stream goes on exactly where it stopped once `position`
    is set to where it was. Several workers share one stream by `worker` and `workers`: each renders its own people.

    Attributes:
        seed: Of everything.
        setting: Setting of look and motion, `a`, `b` or `c`.
        takes: Pictures of each expression of a person.
        prevalence: House-Brackmann grade -> weight; None for as many of each.
        others: Share of people whose palsy has no grade.
        worker, workers: This worker and how many there are.
        position: Number of the next picture of this worker.
    """

    seed: int
    setting: str = "a"
    takes: int = 1
    prevalence: Mapping[int, float] | None = None
    others: float = 0.0
    worker: int = 0
    workers: int = 1
    position: int = 0
    _last: tuple[int, Patient] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.takes < 1 or not 0 <= self.worker < self.workers or self.position < 0:
            raise SyntheticPatientError(
                f"A stream of {self.takes} takes, worker {self.worker} of {self.workers}, position {self.position} is "
                "impossible; takes and workers count from 1, worker and position from 0."
            )
        check_setting(self.setting)
        wanted_people(_BLOCK, self.seed, self.setting, self.prevalence, self.others)

    def __iter__(self) -> Iterator[Photograph]:
        while True:
            picture = self.picture(self.position)
            self.position += 1
            yield picture

    def picture(self, position: int) -> Photograph:
        """Picture number `position` of this worker."""
        person, shot = divmod(position, len(Expression) * self.takes)
        number, take = divmod(shot, self.takes)
        return photograph(face_model(), draw_shot(self._patient(person), tuple(Expression)[number], take))

    def _patient(self, person: int) -> Patient:
        # The pictures of one person follow each other, and a person is dearer than a picture.
        if self._last is None or self._last[0] != person:
            number = person * self.workers + self.worker
            block, place = divmod(number, _BLOCK)
            people = wanted_people(_BLOCK, self.seed, self.setting, self.prevalence, self.others, block=block)
            self._last = person, people[place].drawn(number, self.seed, self.setting)
        return self._last[1]
