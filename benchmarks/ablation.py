"""Ablation: what each part of the grader adds, by the same people and protocol, with intervals by person.

python benchmarks/ablation.py --work FOLDER                    # `tiny`, about half an hour on 2 cores
python benchmarks/ablation.py --work FOLDER --preset paper     # the same questions at another size
Each variant is trained anew on synthetic people of setting a and tested on others, who chose nothing. A run that was
stopped goes on. The gains that the design document claims are printed beside what was measured; it names no data.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from facialpalsy.clinical.expressions import Expression
from facialpalsy.evaluation import Estimate, bootstrap_rows, words
from facialpalsy.models.checkpoint import load_checkpoint
from facialpalsy.models.inference import FlipAveraged
from facialpalsy.models.registry import PRESETS, GraderSpec
from facialpalsy.training.augment import plain
from facialpalsy.training.config import GraderTraining
from facialpalsy.training.exams import join
from facialpalsy.training.grader import fit_grader
from facialpalsy.training.synthetic import SyntheticExams

SETTING, TRAINING_SEED, TEST_SEED = "a", 1001, 3001
VALIDATION = 120
BOTH = {"use_micro_attention": True, "use_roi_module": True}
VARIANTS = {
    "base": {"use_micro_attention": False, "use_roi_module": False},
    "+ micro-attention": {"use_micro_attention": True, "use_roi_module": False},
    "+ regions": {"use_micro_attention": False, "use_roi_module": True},
    "+ both, alpha 0.5": BOTH,
    "+ both, alpha 0": BOTH | {"asymmetry_weight": 0.0},
    "+ both, alpha 0.3": BOTH | {"asymmetry_weight": 0.3},
    "+ both, alpha 0.7": BOTH | {"asymmetry_weight": 0.7},
}
WHOLE = "+ both, alpha 0.5"
SEEN = {
    "whole exam": tuple(Expression),
    "rest and open smile": (Expression.REST, Expression.SMILE_OPEN),
    "rest": (Expression.REST,),
}

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """One column: of the exams of these grades, the share for which `answers` is true.

    Attributes:
        title: Heading of the column.
        grades: Which exams it is about.
        claim: What the design document says that both modules add to it.
    """

    title: str
    grades: tuple[int, ...]
    claim: str

    def answers(self, shares: Shares, grade: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(e,) from (e, 6) probabilities and (e,) grades."""
        named = shares.argmax(axis=1) + 1
        if self.title == "within one":
            return np.abs(named - grade) <= 1
        if self.title == "II against III":
            return (shares[:, 2] > shares[:, 1]) == (grade == 3)
        if self.title == "healthy, called palsied":
            return named > 1
        return named == grade


QUESTIONS = (
    Question("exact", (1, 2, 3, 4, 5, 6), "+3 to +7 %"),
    Question("within one", (1, 2, 3, 4, 5, 6), "none"),
    Question("exact, III-VI", (3, 4, 5, 6), "+10 to +15 % (asymmetry-dependent cases)"),
    Question("II against III", (2, 3), "+5 to +10 %"),
    Question("healthy, called palsied", (1,), "-30 to -50 % (false positives from the background)"),
)


def trained(
    work: Path, name: str, spec: GraderSpec, given: argparse.Namespace, seed: int, accelerator: str
) -> FlipAveraged:
    """The variant, trained if it is not yet."""
    config = GraderTraining(
        spec=spec, epochs=given.epochs, seed=seed, num_workers=1, precision="bf16-mixed", save_interval=given.epochs
    )
    folder = work / f"{given.preset}_{given.people}_{given.epochs}" / f"{name.replace(' ', '_')}_{seed}"
    exams = work / f"{SETTING}{TRAINING_SEED}"
    people = range(given.people), range(given.people, given.people + VALIDATION)
    train, val = (SyntheticExams(TRAINING_SEED, SETTING, part, config.photo_size, exams) for part in people)
    fitted = fit_grader(config, train, val, folder, folder, accelerator=accelerator)
    return FlipAveraged(load_checkpoint(fitted.model, GraderSpec).network).eval()


@torch.inference_mode()
def graded(model: FlipAveraged, exams: SyntheticExams, size: int) -> dict[str, Shares]:
    """(e, 6) of the whole exams and of parts of them, and (e * 9, 6) of each photo alone."""
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in (*SEEN, "one photo")}
    for number, label in enumerate(exams.labels):
        batch = plain(join([(number, label, exams[number])]), size)
        for name, expressions in SEEN.items():
            places = [list(Expression).index(one) for one in expressions]
            given = model(batch.images[places], batch.expressions[places])
            found[name].append(given.grade.double().numpy()[None])
            if name == "whole exam":
                found["one photo"].append(given.photo_grades.double().numpy())
    return {name: np.concatenate(rows) for name, rows in found.items()}


def figure(question: Question, runs: Sequence[Shares], base: Sequence[Shares], exams: SyntheticExams) -> Estimate:
    """The mean over the runs; less that of `base` where there is one."""
    grade = np.array([label.grade for label in exams.labels])
    subjects = np.array([label.subject for label in exams.labels])
    photos = len(runs[0]) // len(grade)
    grade, subjects = grade.repeat(photos), subjects.repeat(photos)
    asked = np.isin(grade, question.grades)
    values = np.mean([question.answers(shares, grade) for shares in runs], axis=0)[asked]
    if base:
        values = values - np.mean([question.answers(shares, grade) for shares in base], axis=0)[asked]
    return bootstrap_rows(lambda rows: float(values[rows].mean()), subjects[asked].tolist())


def table(first: str, rows: dict[str, list[Shares]], exams: SyntheticExams, base: str | None = None) -> str:
    """One row per variant; differences to `base` if one is named."""
    lines = [f"| {first} | {' | '.join(one.title for one in QUESTIONS)} |", f"|---|{'---|' * len(QUESTIONS)}"]
    for name, runs in rows.items():
        if name != base:
            against = rows[base] if base else []
            cells = [words(figure(question, runs, against, exams), percent=True) for question in QUESTIONS]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    if base == "base":
        lines.append(f"| claimed for both, not measured here | {' | '.join(one.claim for one in QUESTIONS)} |")
    return "\n".join(lines)


def main() -> None:
    """Train, test, and print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/ablation"))
    parser.add_argument("--preset", default="tiny", choices=PRESETS)
    parser.add_argument("--people", type=int, default=960, help="training people")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each variant")
    parser.add_argument("--test-people", type=int, default=240)
    parser.add_argument("--accelerator", default="auto")
    given = parser.parse_args()
    preset = PRESETS[given.preset]
    size = GraderTraining(spec=preset).photo_size
    tested = SyntheticExams(TEST_SEED, SETTING, given.test_people, size, given.work / f"{SETTING}{TEST_SEED}")
    whole: dict[str, list[Shares]] = {name: [] for name in VARIANTS}
    parts: dict[str, list[Shares]] = {name: [] for name in (*SEEN, "one photo")}
    for name, changes in VARIANTS.items():
        for seed in range(given.seeds):
            model = trained(given.work, name, replace(preset, **changes), given, seed, given.accelerator)
            found = graded(model, tested, preset.image_size)
            whole[name].append(found["whole exam"])
            if name == WHOLE:
                for part, shares in found.items():
                    parts[part].append(shares)
    print(
        f"Preset {given.preset}, {given.people} training people, {given.epochs} epochs, {given.seeds} training(s) of "
        f"each variant; {given.test_people} other people. Intervals: 95 %, people drawn anew.\n"
    )
    print(table("variant", whole, tested))
    print(f"\nLess base, in percentage points, on the same people:\n\n{table('variant', whole, tested, 'base')}")
    alphas = {name: runs for name, runs in whole.items() if "both" in name}
    print(f"\nLess alpha 0:\n\n{table('variant', alphas, tested, '+ both, alpha 0')}")
    print(f"\nWhat the network sees of an exam ({WHOLE}):\n\n{table('seen', parts, tested)}")


if __name__ == "__main__":
    main()
