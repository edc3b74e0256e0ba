"""Recognition: the shipped recogniser and region network on held-out synthetic people, and on real healthy photos.

python benchmarks/recognition.py --work FOLDER     # the corpora are those of benchmarks/grader.py
python benchmarks/recognition.py --work FOLDER --models MODELS     # and Grad-CAM, of what train_vitau_reader.py made
Tested on other people of setting a and on people of b, of whom the networks saw none. The test people chose nothing.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facialpalsy.analysis.recognition import palsy_places
from facialpalsy.cli import palsy_tables
from facialpalsy.cli.asked import NEEDED, Asked, asked, photos_of
from facialpalsy.cli.tested import Answer, Tested
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.scales.thresholds import PALSY_RATIO
from facialpalsy.detect import DEFAULT_ENGINE, Detector, open_detector
from facialpalsy.errors import UsageError
from facialpalsy.evaluation import bootstrap_rows, words
from facialpalsy.evaluation.palsy import PalsyExam, palsy_table
from facialpalsy.face import Landmarks, Side, align, face_frame
from facialpalsy.face.regions import face_regions
from facialpalsy.media import read_photo
from facialpalsy.models.checkpoint import load_checkpoint
from facialpalsy.models.exam_regions import ExamRegions
from facialpalsy.models.grad_cam import flip_averaged, grad_cam, vit_grad_cam
from facialpalsy.models.vit import PALSY, ExamRecogniser, RecogniserSpec
from facialpalsy.models.vitau import RegionSpec
from facialpalsy.preparation import Prepared
from facialpalsy.synth import displace
from facialpalsy.training.augment import plain
from facialpalsy.training.exams import join
from facialpalsy.weights import POINTS, RECOGNISER, REGIONS, find_card, open_model
from grader import PAIR_OF_REGION, PAIRS, TESTS, TRAINING, prepared
from london import person_of

Shown = tuple[np.ndarray, Landmarks]
"""A photo and its points."""

DROOP = 0.05
"""How far the corner of the mouth hangs in a real photo that is warped, in iod."""

AGAIN = {"b": 2003}
"""Setting -> seed of as many people again for the recogniser: one healthy person of 40 is 1.25 points."""

# Grad-CAM is asked of every so many people.
EVERY = 4
Explained = Callable[[Tensor, int], Tensor]
"""(n, 1, size, size) maps of an exam's photos, of one unit and side where the network tells them apart."""


@dataclass(frozen=True, eq=False)
class Known(Tested):
    """Tested exams whose answers are known, because several tables are made of them."""

    known: Sequence[Answer]

    def answers(self, _: Asked) -> Iterator[Answer]:
        """The same for every table."""
        return iter(self.known)


SHOWN = ("balanced_accuracy", "sensitivity", "specificity")


def recogniser(model: Asked, tested: Tested) -> str:
    """Grades III to VI against I, and how II fares, whole exams and single photos."""
    (threshold,) = model.questions.values()
    exams: list[PalsyExam] = []
    photos: list[PalsyExam] = []
    second: list[tuple[str, bool]] = []
    for label, rows, found in tested.answers(model):
        keys, truth = tuple(row.key for row in rows), (label.palsy,)
        if label.grade == 2:
            second.append((label.subject, float(found["palsy"][0]) >= threshold))
            continue
        exams.append(PalsyExam(label.subject, label.key, keys, truth, (float(found["palsy"][0]),)))
        photos += [
            PalsyExam(label.subject, label.key, (key,), truth, (float(one),))
            for key, one in zip(keys, found["photo_palsy"], strict=True)
        ]
    lines = []
    for name, rows in (("whole exams", exams), ("single photos", photos)):
        figures = palsy_table(rows, ("palsy",), (threshold,)).figures
        said = [f"{one} {words(figures[one], percent=True)}" for one in SHOWN]
        lines.append(f"- Grades III to VI against I, {name}: {', '.join(said)}.")
    called = np.array([one for _, one in second])
    share = bootstrap_rows(lambda drawn: float(called[drawn].mean()), [name for name, _ in second])
    lines.append(f"- Grade II called palsied: {words(share, percent=True)}.")
    return "\n".join(lines)


def pointing(model: Asked, answers: Sequence[Answer]) -> str:
    """Whether the peak of an exam's map, the mean over its photos, lies in a palsied region."""
    thresholds, hits = np.array(list(model.questions.values())), {}
    for label, rows, found in answers:
        palsied, called = palsied_regions(rows[0]), found["palsy"] >= thresholds
        if palsied and called.any():
            heat = palsy_places(found["maps"], found["palsy"], called).mean(axis=0)
            hits[label.subject] = bool(region_at(rows, heat) & palsied)
    return f"Peak of the heat maps in a palsied region: {pointed(hits)}."


def pointed(hits: Mapping[str, bool]) -> str:
    """The share of hits, with its interval over people."""
    hit = np.array(list(hits.values()))
    share = bootstrap_rows(lambda drawn: float(hit[drawn].mean()), list(hits))
    return f"{words(share, percent=True)} ({len(hits)} people)"


def grad_cam_tables(models: Path, tested: Tested) -> str:
    """Grad-CAM of the palsy and of an exam's first palsied unit: where its peak lies, and what random weights show."""
    seen, drawn = (
        load_checkpoint(models / f"{name}.safetensors", spec)
        for name, spec in (("recogniser", RecogniserSpec), ("regions", RegionSpec))
    )
    torch.manual_seed(0)

    def of_palsy(network: ExamRecogniser) -> Explained:
        return lambda images, _: flip_averaged(lambda one: vit_grad_cam(network.trunk, one, PALSY), images)

    def of_unit(network: ExamRegions) -> Explained:
        layer = network.trunk.interpreter.last_convolution
        return lambda images, unit: grad_cam(network.trunk, layer, images, unit)

    lines = []
    for name, found, explained in (("recogniser", seen, of_palsy), ("regions", drawn, of_unit)):
        trained = explained(found.network.eval())
        random = explained(found.spec.network().eval())
        hits, alike = {}, []
        for number in range(0, len(tested.test), EVERY):
            rows, exam = tested.test.rows[number], tested.test[number]
            if not (palsied := palsied_regions(rows[0])):
                continue
            images = plain(join([(number, tested.test.labels[number], exam)]), found.spec.image_size).images
            unit = int((exam.units.flatten() == 1).float().argmax())
            maps, others = (explain(images, unit)[:, 0].mean(0).numpy() for explain in (trained, random))
            hits[rows[0].subject] = bool(region_at(rows, maps) & palsied)
            if maps.std() > 0 and others.std() > 0:
                alike.append(np.corrcoef(maps.ravel(), others.ravel())[0, 1])
        same = f"{np.median(alike):.2f}" if alike else "not defined"
        lines.append(f"- {name}: peak in a palsied region {pointed(hits)}; correlation with random weights {same}.")
    return "\n".join(["Grad-CAM, mean of an exam's photos:", "", *lines])


def palsied_regions(row: Prepared) -> set[tuple[str, Side]]:
    """Regions and sides whose zone has less than 75 % of its function."""
    return {
        (name, side)
        for name, zone in PAIRS.items()
        for side in Side
        if float(row.targets[f"synth.function_{zone}_{side}"]) < 100 * PALSY_RATIO
    }


def region_at(rows: Sequence[Prepared], heat: np.ndarray) -> set[tuple[str, Side]]:
    """Region and side at the peak of a map, by the landmarks of the photos; empty outside of them."""
    size = len(heat)
    masks = np.mean([face_regions(found, size) for row in rows if (found := row.landmarks(size)) is not None], axis=0)
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    place = int(masks[:, row, column].argmax())
    if masks[place, row, column] < 0.5:
        return set()
    # The subject's left is on the image's right.
    return {(PAIR_OF_REGION[place], Side.LEFT if column >= size / 2 else Side.RIGHT)}


def london(model: Asked) -> str:
    """Real healthy people at rest and smiling: how many are called palsied, as they are and with one side made weak."""
    root = Path(os.environ.get("FACIALPALSY_ASSETS", "")) / "london"
    if not root.is_dir():
        return "London photos: skipped, FACIALPALSY_ASSETS does not name the folder that holds london/."
    detector, order = open_detector(DEFAULT_ENGINE), list(Expression)
    asked_of = [order.index(one) for one in (Expression.REST, Expression.SMILE_OPEN)]
    (threshold,) = model.questions.values()
    called: dict[str, list[bool]] = {"as they are": [], "one side weak": []}
    for number, path in enumerate(sorted((root / "neutral_front").glob("[0-9]*.jpg"))):
        smiling = next((root / "smiling_front").glob(f"{person_of(path)}_*.jpg"), None)
        if smiling is None:
            continue
        seen = [
            (picture, detector.detect(picture).landmarks)
            for picture in (read_photo(path).pixels, read_photo(smiling).pixels)
        ]
        for name, shown in (
            ("as they are", seen),
            ("one side weak", weakened(*seen, list(Side)[number % 2], detector)),
        ):
            images = np.stack([align(*one, model.size)[0] for one in shown]).transpose(0, 3, 1, 2)
            found = model.run(photos_of(images, np.array(asked_of)))
            called[name].append(float(found["palsy"][0]) >= threshold)
    said = ", ".join(f"{name} {sum(of)} of {len(of)}" for name, of in called.items())
    return f"London, healthy people by rest and smile, called palsied: {said}."


def weakened(rest: Shown, smile: Shown, side: Side, detector: Detector) -> list[Shown]:
    """Both photos with one corner of the mouth hanging and, in the smile, going a tenth of its way or near it.

    A warp of skin, no palsy: eyes and brow are those of a healthy person.
    """
    before, after = (face_frame(one).to_frame(one.point("commissure", side)) for _, one in (rest, smile))
    found = []
    for shown, moves in ((rest, {}), (smile, {"corner_out": -0.9 * float(np.linalg.norm(after - before))})):
        picture, landmarks = shown
        for region, amount in {**moves, "corner": DROOP}.items():
            for share in (1.0, 0.8, 0.6, 0.4):  # a warp that would fold this face is refused
                try:
                    moved = displace(
                        picture, landmarks, side=side, region=region, amount_iod=share * amount, family="gaussian"
                    )
                except UsageError:
                    continue
                picture, landmarks = moved.picture, moved.landmarks
                break
        found.append((picture, detector.detect(picture).landmarks))
    return found


def speed() -> str:
    """Photos per second of both networks, one after the other as `analyze` asks them."""
    random = np.random.default_rng(0)
    size = find_card(RECOGNISER).preprocessing.size
    given = {"images": random.random((9, 3, size, size), np.float32), "expressions": np.arange(9)}
    seconds = []
    for _ in range(11):
        start = time.perf_counter()
        points = open_model(RECOGNISER).run(given)[POINTS]
        open_model(REGIONS).run({**given, POINTS: points})
        seconds.append(time.perf_counter() - start)
    return f"{9 / np.median(seconds[1:]):.0f} photos/s, both networks, flip averaging included."


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/grader"))
    parser.add_argument("--models", type=Path, help="folder of train_vitau_reader.py, for Grad-CAM")
    given = parser.parse_args()
    work = given.work
    first, second = asked(RECOGNISER), asked(REGIONS)
    for setting, settings in TESTS.items():
        print(f"\n### Held-out people of setting {setting}\n\n#### Recogniser\n")
        parts = [
            (
                model,
                prepared(work, f"test_{setting}", settings, NEEDED[model.kind]),
                prepared(work, "training", TRAINING, NEEDED[model.kind]),
            )
            for model in (first, second)
        ]
        for model, test, training in parts:
            answers = list(Tested(test, training, setting).answers(model))
            tested = Known(test, training, setting, answers)
            if model is first:
                print(recogniser(model, tested))
                if setting in AGAIN:
                    print(f"\n#### Recogniser, other people of {setting}, and both\n")
                    others = prepared(
                        work, f"test_{setting}2", replace(settings, seed=AGAIN[setting]), NEEDED[model.kind]
                    )
                    of_others = list(Tested(others, training, setting).answers(model))
                    for some in (of_others, [*answers, *of_others]):
                        print(recogniser(model, Known(others, training, setting, some)) + "\n")
            else:
                print("\n#### Regions\n")
            print("\n" + "\n".join(palsy_tables.made([model], tested, choose=False).page))
            if model is second:
                print("\n" + pointing(model, answers))
                if given.models is not None:
                    print("\n" + grad_cam_tables(given.models, tested))
    print(f"\n### Real healthy people\n\n{london(first)}\n\n{speed()}")


if __name__ == "__main__":
    main()
