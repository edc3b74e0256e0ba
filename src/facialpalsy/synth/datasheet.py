"""Datasheet: the README of a corpus of synthetic patients, after Gebru et al. 2021 (Datasheets for Datasets)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from facialpalsy.synth.shot import ZONE_VALUES

if TYPE_CHECKING:
    import pyarrow as pa

_GRADES = {1: "I", 2: "II", 3: "III", 4: "IV", 5: "V", 6: "VI", None: "none"}


def datasheet(table: pa.Table, settings: Mapping[str, Any]) -> str:
    """Markdown for one corpus: what it is, what it holds, how it was made, and what it cannot show."""
    people = {
        row["subject"]: row
        for row in table.select(["subject", "grade", "affected_side", "kind", "look_tone"]).to_pylist()
    }

    def counts(column: str) -> str:
        found = Counter(row[column] for row in people.values())
        named = {_GRADES[key] if column == "grade" else key: found[key] for key in sorted(found, key=str)}
        return ", ".join(f"{key}: {count}" for key, count in named.items())

    zones = ", ".join(
        f"{value} {side} {zone}" for value, (side, zone) in sorted((v, key) for key, v in ZONE_VALUES.items())
    )
    given = " ".join(f"{name}={value}" for name, value in settings.items())
    return f"""# Synthetic patients with facial palsy

Made by facialpalsy {version("facialpalsy")}: {given}. The same settings and version give an equal table of labels.
No picture shows a real person, and no patient's data went into it.

## What it holds

{table.num_rows} pictures of 256 x 256 pixels of {len(people)} people, each with the nine expressions of an exam.

- House-Brackmann grade (software rule on the rendered truth), people: {counts("grade")}
- affected side, people: {counts("affected_side")}
- kind, people: {counts("kind")}
- Monk skin tone, people: {counts("look_tone")}

`labels.parquet` has one row for each picture. `path` and `zones` name its files. Left and right are the subject's own,
and no picture is mirrored. `function_*` is in percent of healthy, `palsy_<unit>_<side>` says whether that action is
below 75 %, `strength_<unit>_<side>` how strongly it was rendered; `points_x`, `points_y` and `points_visible` are the
191 points of the scheme `dense`, of which the first 68 are those of iBUG, in pixels with (0, 0) at the outer corner of
the first one. Values of a zone picture: {zones}; 0 elsewhere.

## How it was made

Shape and movement come from ICT-FaceKit (MIT, (c) 2020 USC Institute for Creative Technologies); skin, hair, light and
camera are drawn by rule, and so are the palsies. The grade is that of the rule in facialpalsy's documentation, fed with
columns of this table; palsies of both sides, central ones, those of one branch and operated faces have none.

## What it cannot show

How well anything trained on it works on patients is unknown until it is measured on patients. The pictures lack moving
skin folds, tears, scars and the many ways in which real faces differ; the proportions of grades, sides, skin tones and
ages are chosen, not those of any population. Split it by `subject`.
"""
