"""Grader: the shipped network and the landmark baseline on held-out synthetic people, and on real healthy photos.

python benchmarks/grader.py --work FOLDER     # renders and prepares corpora there first, about an hour on 2 cores
Trained on setting a; tested on other people of a and of b. The test people chose nothing.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import spearmanr

from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.scales.thresholds import PALSY_RATIO
from facialpalsy.datasets import read_corpus
from facialpalsy.evaluation import (
    Estimate,
    ExamGrade,
    LandmarkBaseline,
    bootstrap_rows,
    grade_table,
    markdown,
    paired_difference,
    words,
)
from facialpalsy.face import ReferenceSide, Side
from facialpalsy.preparation import Prepared, prepare, read_prepared
from facialpalsy.synth.corpus import CorpusSettings, write_corpus
from facialpalsy.weights import GRADER, ShippedModel, open_model

TRAINING = CorpusSettings(patients=600, seed=1001, setting="a", others=0.0)
TESTS = {
    setting: CorpusSettings(patients=240, seed=seed, setting=setting, others=0.0)
    for setting, seed in (("a", 2001), ("b", 2002))
}
REGION_PEOPLE = 60
LONDON_EXAMS = 10
PAIRS = {"forehead": Zone.FOREHEAD, "eye": Zone.EYE, "nose": Zone.MIDFACE, "mouth": Zone.MOUTH}
PAIR_OF_REGION = ("forehead", "eye", "eye", "nose", "mouth")
COMPARED = ("exact", "within_one", "exact_3_to_6", "kappa_quadratic", "rps")

Exam = list[Prepared]


def prepared(work: Path, name: str, settings: CorpusSettings, size: int) -> dict[tuple[str, str], Exam]:
    """The exams of a corpus, rendered and prepared if they are not there yet."""
    corpus, folder = work / name, work / f"{name}_{size}"
    write_corpus(corpus, settings, jobs=2)
    if not (folder / "prepared.parquet").is_file():
        prepare(read_corpus(corpus, "synth").samples, folder, sizes=(size,), jobs=2)
    exams: dict[tuple[str, str], Exam] = {}
    for row in read_prepared(folder):
        if row.crops and row.grade is not None:
            exams.setdefault((row.subject, row.capture), []).append(row)
    return exams


def images(rows: Sequence[Prepared], size: int) -> NDArray[np.float32]:
    """(n, 3, size, size) crops in 0..1."""
    crops = []
    for row in rows:
        with Image.open(row.crops[size]) as picture:
            crops.append(np.asarray(picture.convert("RGB")))
    return np.stack(crops).transpose(0, 3, 1, 2).astype(np.float32) / 255


def run(model: ShippedModel, rows: Sequence[Prepared]) -> dict[str, NDArray[np.float32]]:
    """The network's outputs for one exam."""
    order = list(Expression)
    numbers = [len(order) if row.expression is None else order.index(row.expression) for row in rows]
    return model.run(
        {"images": images(rows, model.card.preprocessing.size), "expressions": np.array(numbers, np.int64)}
    )


def by_network(
    model: ShippedModel, exams: Mapping[tuple[str, str], Exam]
) -> tuple[list[ExamGrade], list[ExamGrade], dict[tuple[str, str], dict[str, NDArray[np.float32]]]]:
    """Whole exams, single photos, and the maps."""
    whole, single, maps = [], [], {}
    for (subject, capture), rows in exams.items():
        found = maps[subject, capture] = run(model, rows)
        # Positive is the image's right half, where these unmirrored pictures show the subject's left.
        whole.append(_graded(subject, capture, rows, found["grade"], float(found["side"][0])))
        single += [
            _graded(subject, capture, [row], given, None)
            for row, given in zip(rows, found["photo_grades"], strict=True)
        ]
    return whole, single, maps


def _graded(
    subject: str, capture: str, rows: Sequence[Prepared], given: NDArray[np.float32], left: float | None
) -> ExamGrade:
    grade, side = rows[0].grade, _side(rows[0])
    assert grade is not None  # noqa: S101  rows without one were left out
    shares = np.asarray(given, np.float64) / given.sum()
    return ExamGrade(subject, capture, tuple(row.key for row in rows), grade, side, tuple(shares.tolist()), left)


def _side(row: Prepared) -> Side | None:
    return Side(row.affected.value) if row.affected in (ReferenceSide.LEFT, ReferenceSide.RIGHT) else None


def by_landmarks(
    training: Mapping[tuple[str, str], Exam], tested: Mapping[tuple[str, str], Exam], size: int
) -> list[ExamGrade]:
    """The landmark baseline, fitted on `training`."""

    def landmarks(rows: Exam) -> dict[Expression, object]:
        return {row.expression: found for row in rows if row.expression and (found := row.landmarks(size)) is not None}

    model = LandmarkBaseline.fit(
        [landmarks(rows) for rows in training.values()],
        [rows[0].grade for rows in training.values()],
        [_side(rows[0]) for rows in training.values()],
        [subject for subject, _ in training],
    )
    wanted = [landmarks(rows) for rows in tested.values()]
    left = model.left(wanted)
    return [
        _graded(subject, capture, rows, given, None if left is None else float(left[place]))
        for place, (((subject, capture), rows), given) in enumerate(
            zip(tested.items(), model.probabilities(wanted), strict=True)
        )
    ]


def asymmetry(exams: Mapping[tuple[str, str], Exam], maps: Mapping[tuple[str, str], Mapping[str, NDArray]]) -> str:
    """How the map goes with the grade, and whether its peak lies where the palsy is."""
    means, grades, subjects, hits, hit_subjects = [], [], [], [], []
    for key, rows in exams.items():
        found = maps[key]
        inside = found["mask"] >= 0.5
        means.append(float(found["asymmetry"][inside].mean()))
        grades.append(rows[0].grade)
        subjects.append(key[0])
        palsied = palsied_pairs(rows[0])
        if palsied:
            hits.append(peak_pair(found) in palsied)
            hit_subjects.append(key[0])
    means_, grades_, hits_ = np.array(means), np.array(grades), np.array(hits)
    rho = bootstrap_rows(lambda rows: float(spearmanr(means_[rows], grades_[rows])[0]), subjects)
    share = bootstrap_rows(lambda rows: float(hits_[rows].mean()), hit_subjects)
    lines = [
        f"Spearman of mean map with grade: {words(rho)}; region pair of the peak is palsied: "
        f"{words(share, percent=True)} ({len(hits)} people with a palsied zone).",
        "",
        "| grade | people | mean map | standard deviation |",
        "|---|---|---|---|",
    ]
    for grade in range(1, 7):
        of = means_[grades_ == grade]
        lines.append(f"| {grade} | {len(of)} | {of.mean():.3f} | {of.std(ddof=1):.3f} |")
    return "\n".join(lines)


def palsied_pairs(row: Prepared) -> set[str]:
    """Region pairs whose zone has less than 75 % of its function on a side."""
    return {
        name
        for name, zone in PAIRS.items()
        if min(float(row.targets[f"synth.function_{zone}_{side}"]) for side in Side) < 100 * PALSY_RATIO
    }


def peak_pair(found: Mapping[str, NDArray[np.float32]]) -> str:
    """Region pair at the highest place of an exam's mean map within the face."""
    mean = np.where(found["mask"].mean(axis=0)[0] >= 0.5, found["asymmetry"].mean(axis=0)[0], 0)
    row, column = np.unravel_index(int(mean.argmax()), mean.shape)
    return PAIR_OF_REGION[int(found["regions"].mean(axis=0)[:, row, column].argmax())]


def overlap(model: ShippedModel, work: Path, setting: str, seed: int) -> str:
    """Intersection over union of the region maps with the true zones of held-out people, by region."""
    import torch

    from facialpalsy.models.roi import REGIONS
    from facialpalsy.training.augment import plain, region_shares
    from facialpalsy.training.exams import join
    from facialpalsy.training.synthetic import SyntheticExams

    size = model.card.preprocessing.size
    exams = SyntheticExams(seed, setting, REGION_PEOPLE, size * 5 // 4, work / f"regions_{setting}")
    both, either = np.zeros(len(REGIONS)), np.zeros(len(REGIONS))
    for number in range(len(exams)):
        batch = plain(join([(number, exams.labels[number], exams[number])]), size)
        found = model.run({"images": batch.images.numpy(), "expressions": batch.expressions.numpy()})["regions"] >= 0.5
        true = region_shares(batch.regions, found.shape[-1])[0][:, : len(REGIONS)] >= 0.5
        both += (found & true.numpy()).sum(axis=(0, 2, 3))
        either += torch.logical_or(torch.from_numpy(found), true).sum(dim=(0, 2, 3)).numpy()
    values = ", ".join(f"{name} {share:.2f}" for name, share in zip(REGIONS, both / either, strict=True))
    return f"Region maps against true zones, {len(exams)} people, 9 photos each, IoU: {values}."


def london(model: ShippedModel) -> str:
    """What happens with real healthy people: the grade is withheld; the map as it is, by expression."""
    from facialpalsy import analyze
    from facialpalsy.detect import MediaPipeDetector
    from facialpalsy.face import align
    from facialpalsy.media import read_photo

    root = Path(os.environ.get("FACIALPALSY_ASSETS", "")) / "london"
    if not root.is_dir():
        return "London photos: skipped, FACIALPALSY_ASSETS does not name the folder that holds london/."
    detector, size = MediaPipeDetector(), model.card.preprocessing.size
    lines = ["| London photos | photos | mean map | 95 % of people below |", "|---|---|---|---|"]
    for folder, number in (("neutral_front", 0), ("smiling_front", list(Expression).index(Expression.SMILE_OPEN))):
        means = []
        for path in sorted((root / folder).glob("[0-9]*.jpg")):
            picture = read_photo(path).pixels
            crop, _ = align(picture, detector.detect(picture).landmarks, size)
            image = np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / 255
            found = model.run({"images": image, "expressions": np.array([number])})
            means.append(float(found["asymmetry"][found["mask"] >= 0.5].mean()))
        lines.append(f"| {folder} | {len(means)} | {np.mean(means):.3f} | {np.quantile(means, 0.95):.3f} |")
    people = sorted(path.stem.split("_")[0] for path in (root / "neutral_front").glob("[0-9]*.jpg"))
    reasons = []
    with tempfile.TemporaryDirectory() as name:
        for person in people[:LONDON_EXAMS]:
            exam = Path(name, person)
            exam.mkdir()
            for folder, stem in (("neutral_front", "rest"), ("smiling_front", "smile_open")):
                source = next((root / folder).glob(f"{person}_*.jpg"), None)
                if source is not None:
                    (exam / f"{stem}.jpg").write_bytes(source.read_bytes())
            reasons.append(analyze(exam, mirrored="no").grade.withheld)
    withheld = sum(reason is not None for reason in reasons)
    return "\n".join(
        [*lines, "", f"Grade withheld in {withheld} of {len(reasons)} exams of rest and smile. {reasons[0]}"]
    )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/grader"))
    work = parser.parse_args().work
    model = open_model(GRADER)
    size = model.card.preprocessing.size
    training = prepared(work, "training", TRAINING, size)
    labels = [(rows[0].grade, _side(rows[0])) for rows in training.values()]
    for setting, settings in TESTS.items():
        exams = prepared(work, f"test_{setting}", settings, size)
        whole, single, maps = by_network(model, exams)
        landmarks = by_landmarks(training, exams, size)
        print(f"\n### Held-out people of setting {setting}\n\nWhole exams.\n")
        print(markdown({"network": grade_table(whole, labels), "landmark baseline": grade_table(landmarks, labels)}))
        print("\nNetwork minus landmark baseline, by person:\n")
        for metric in COMPARED:
            difference: Estimate = paired_difference(whole, landmarks, metric)
            print(f"- {metric}: {words(difference)}")
        print("\nSingle photos.\n")
        print(markdown({"network, one photo": grade_table(single, labels)}))
        print(asymmetry(exams, maps))
        print(f"\n{overlap(model, work, setting, settings.seed + 1000)}")
    print(f"\n### Real healthy people\n\n{london(model)}")
    _speed(model)


def _speed(model: ShippedModel) -> None:
    size = model.card.preprocessing.size
    pictures = np.random.default_rng(0).random((9, 3, size, size), np.float32)
    inputs = {"images": pictures, "expressions": np.arange(9)}
    model.run(inputs)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        model.run(inputs)
        seconds.append(time.perf_counter() - start)
    print(f"\n{9 / np.median(seconds):.0f} photos/s, flip averaging included (median of 10 exams of 9 photos)")


if __name__ == "__main__":
    main()
