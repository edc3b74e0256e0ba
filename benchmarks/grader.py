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
from scipy.stats import spearmanr

from facialpalsy.cli.asked import asked
from facialpalsy.cli.grade_tables import COMPARED, by_landmarks, by_network, side_of
from facialpalsy.cli.tested import Answer, Tested
from facialpalsy.clinical.evidence import Zone
from facialpalsy.clinical.expressions import Expression
from facialpalsy.clinical.scales.thresholds import PALSY_RATIO
from facialpalsy.datasets import read_corpus
from facialpalsy.evaluation import (
    Estimate,
    bootstrap_rows,
    grade_table,
    markdown,
    paired_difference,
    words,
)
from facialpalsy.face import Side
from facialpalsy.preparation import Prepared, prepare, read_prepared
from facialpalsy.synth.corpus import CorpusSettings, write_corpus
from facialpalsy.training.exams import Needed, PreparedExams, exams_of
from facialpalsy.weights import GRADER, ShippedModel, open_model

SIZE = 192
"""Side of the prepared photos, as the grader takes them; smaller networks are given them shrunk."""

TRAINING = CorpusSettings(patients=600, seed=1001, setting="a", others=0.0)
TESTS = {
    setting: CorpusSettings(patients=240, seed=seed, setting=setting, others=0.0)
    for setting, seed in (("a", 2001), ("b", 2002))
}
REGION_PEOPLE = 60
LONDON_EXAMS = 10
PAIRS = {"forehead": Zone.FOREHEAD, "eye": Zone.EYE, "nose": Zone.MIDFACE, "mouth": Zone.MOUTH}
PAIR_OF_REGION = ("forehead", "eye", "eye", "nose", "mouth")


def prepared(work: Path, name: str, settings: CorpusSettings, needed: Needed = "grade") -> PreparedExams:
    """The exams of a corpus, rendered and prepared if they are not there yet."""
    corpus, folder = work / name, work / f"{name}_{SIZE}"
    write_corpus(corpus, settings, jobs=2)
    if not (folder / "prepared.parquet").is_file():
        prepare(read_corpus(corpus, "synth").samples, folder, sizes=(SIZE,), jobs=2)
    return exams_of(read_prepared(folder), SIZE, needed)


def asymmetry(answers: Sequence[Answer]) -> str:
    """How the map goes with the grade, and whether its peak lies where the palsy is."""
    means, grades, subjects, hits, hit_subjects = [], [], [], [], []
    for label, rows, found in answers:
        inside = found["mask"] >= 0.5
        means.append(float(found["asymmetry"][inside].mean()))
        grades.append(label.grade)
        subjects.append(label.subject)
        palsied = palsied_pairs(rows[0])
        if palsied:
            hits.append(peak_pair(found) in palsied)
            hit_subjects.append(label.subject)
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
    """Region pair at the highest place of an exam's maps within the face.

    A zone's palsy shows in the photo of its own movement; in a mean over nine photos the others drown it.
    """
    highest = np.where(found["mask"].mean(axis=0)[0] >= 0.5, found["asymmetry"].max(axis=0)[0], 0)
    row, column = np.unravel_index(int(highest.argmax()), highest.shape)
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
    from facialpalsy.detect import DEFAULT_ENGINE, open_detector
    from facialpalsy.face import align
    from facialpalsy.media import read_photo

    root = Path(os.environ.get("FACIALPALSY_ASSETS", "")) / "london"
    if not root.is_dir():
        return "London photos: skipped, FACIALPALSY_ASSETS does not name the folder that holds london/."
    detector, size = open_detector(DEFAULT_ENGINE), model.card.preprocessing.size
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
    grader, model = asked(GRADER), open_model(GRADER)
    training = prepared(work, "training", TRAINING)
    labels = [(label.grade, side_of(rows)) for label, rows in zip(training.labels, training.rows, strict=True)]
    for setting, settings in TESTS.items():
        tested = Tested(prepared(work, f"test_{setting}", settings), training, setting)
        answers = list(tested.answers(grader))
        whole, single = by_network(answers)
        landmarks, why_not = by_landmarks(tested)
        assert landmarks is not None, why_not  # noqa: S101
        print(f"\n### Held-out people of setting {setting}\n\nWhole exams.\n")
        print(markdown({"network": grade_table(whole, labels), "landmark baseline": grade_table(landmarks, labels)}))
        print("\nNetwork minus landmark baseline, by person:\n")
        for metric in COMPARED:
            difference: Estimate = paired_difference(whole, landmarks, metric)
            print(f"- {metric}: {words(difference)}")
        print("\nSingle photos.\n")
        print(markdown({"network, one photo": grade_table(single, labels)}))
        print(asymmetry(answers))
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
