"""Corpus: synthetic patients written as pictures, zone pictures, one table of labels and a datasheet.

A run that was stopped goes on where it was: each patient is finished by a part of the table, and the table itself comes
last. The same arguments give an equal table, in any number of processes.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import OutputError, SyntheticPatientError
from facialpalsy.synth.datasheet import datasheet
from facialpalsy.synth.face_model import face_model
from facialpalsy.synth.labels import picture_labels
from facialpalsy.synth.population import Wanted, check_setting, wanted_people
from facialpalsy.synth.shot import draw_shot, photograph
from facialpalsy.synth.truth import exam_truth
from facialpalsy.workers import begin_worker
from facialpalsy.writing import atomic_path, make_folder, write_text

TABLE = "labels.parquet"
_SETTINGS = "corpus.json"
_PARTS = "parts"
_SCHEMA = "facialpalsy.synth/1"

Person = tuple[int, Wanted]


@dataclass(frozen=True)
class CorpusSettings:
    """All that a corpus depends on, besides the version of the software.

    Attributes:
        patients: How many people.
        seed: Of everything.
        setting: Setting of look and motion, `a`, `b` or `c`.
        takes: Pictures of each of the nine expressions of a person.
        prevalence: Weights of House-Brackmann grades I to VI; None for as many of each.
        others: Share of people whose palsy has no grade.
    """

    patients: int
    seed: int
    setting: str = "a"
    takes: int = 1
    prevalence: tuple[float, ...] | None = None
    others: float = 0.1

    def __post_init__(self) -> None:
        if self.patients < 1 or self.takes < 1:
            raise SyntheticPatientError(
                f"{self.patients} patients with {self.takes} takes were asked for; give at least one of each."
            )
        if self.prevalence is not None and len(self.prevalence) != 6:
            raise SyntheticPatientError(
                f"{len(self.prevalence)} weights of grades were given; give six, for House-Brackmann I to VI."
            )
        check_setting(self.setting)
        self.wanted()

    def wanted(self) -> list[Wanted]:
        """What each person is to have."""
        grades = None if self.prevalence is None else dict(enumerate(self.prevalence, start=1))
        return wanted_people(self.patients, self.seed, self.setting, grades, self.others)


def write_corpus(
    out: Path, settings: CorpusSettings, *, jobs: int = 1, progress: Callable[[int], None] | None = None
) -> int:
    """Write a corpus and return its number of pictures.

    Args:
        out: Folder; another corpus in it is refused, the same one is finished.
        settings: What to write.
        jobs: Processes.
        progress: Called with the number of patients that are done.

    Raises:
        AssetNotInstalledError: the face model is not installed.
        SyntheticPatientError: impossible settings, or the folder holds another corpus.
        OutputError: the folder cannot be written.
    """
    face_model()
    _claim(out, settings)
    if (out / TABLE).is_file():
        return _count(out / TABLE)
    parts = make_folder(out / _PARTS)
    people = list(enumerate(settings.wanted()))
    waiting = [person for person in people if not _part(parts, person[0]).is_file()]
    done = settings.patients - len(waiting)
    work = partial(_write_patient, out, settings)
    for _ in _each(work, waiting, jobs):
        done += 1
        if progress is not None:
            progress(done)
    return _join(out, settings)


def _count(table: Path) -> int:

    return int(pq.read_metadata(table).num_rows)


def _each(work: Callable[[Person], int], people: list[Person], jobs: int) -> Iterator[int]:
    if jobs == 1 or len(people) < 2:
        yield from map(work, people)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, begin_worker, (os.getpid(),)) as pool:
        waiting = [pool.submit(work, person) for person in people]
        try:
            for finished in as_completed(waiting):
                yield finished.result()
        except BrokenProcessPool as error:
            raise OutputError(
                "A worker process was ended from outside, often for want of memory; what was finished is kept. Run "
                "the same command again, with fewer --jobs."
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _claim(out: Path, settings: CorpusSettings) -> None:
    """Write down what this folder is to hold, or check that it is the same."""
    made = {"schema": _SCHEMA, "version": version("facialpalsy"), **asdict(settings)}
    text = json.dumps(made, indent=1) + "\n"
    path = make_folder(out) / _SETTINGS
    if not path.is_file():
        if any(out.iterdir()):
            raise SyntheticPatientError(f"{out.name!r} is not empty and holds no synthetic corpus; name a new folder.")
        write_text(path, text)
    elif path.read_text(encoding="utf-8") != text:
        raise SyntheticPatientError(
            f"{out.name!r} holds a corpus made with other settings or another version ({_SETTINGS}); name a new folder."
        )


def _part(parts: Path, number: int) -> Path:
    return parts / f"{number:06d}.parquet"


def _write_patient(out: Path, settings: CorpusSettings, person: Person) -> int:
    """Render one person, then write the part of the table that says it is done."""
    model = face_model()
    number, wanted = person
    patient = wanted.drawn(number, settings.seed, settings.setting)
    truth = exam_truth(model, patient)
    images = make_folder(out / "images" / patient.subject)
    zones = make_folder(out / "zones" / patient.subject)
    rows = []
    for expression in Expression:
        for take in range(settings.takes):
            picture = photograph(model, draw_shot(patient, expression, take))
            stem = f"{expression}_{take + 1}"
            with atomic_path(images / f"{stem}.jpg") as temporary:
                temporary.write_bytes(picture.frame.stored)
            with atomic_path(zones / f"{stem}.png") as temporary:
                Image.fromarray(picture.zones(model)).save(temporary, format="PNG")
            paths = {
                "path": f"images/{patient.subject}/{stem}.jpg",
                "zones": f"zones/{patient.subject}/{stem}.png",
            }
            rows.append(paths | picture_labels(picture, truth))
    with atomic_path(_part(out / _PARTS, number)) as temporary:
        pq.write_table(pa.Table.from_pylist(rows), temporary)
    return len(rows)


def _join(out: Path, settings: CorpusSettings) -> int:
    """The whole table from its parts, and the datasheet; then the parts go."""
    parts = [_part(out / _PARTS, number) for number in range(settings.patients)]
    tables = [pq.read_table(part) for part in parts]
    table = pa.concat_tables(tables, promote_options="permissive")
    facts = {b"facialpalsy.version": version("facialpalsy"), b"facialpalsy.seed": str(settings.seed)}
    table = table.replace_schema_metadata({name: value.encode() for name, value in facts.items()})
    with atomic_path(out / TABLE) as temporary:
        pq.write_table(table, temporary)
    write_text(out / "README.md", datasheet(table, asdict(settings)))
    for part in parts:
        part.unlink()
    (out / _PARTS).rmdir()
    return int(table.num_rows)
