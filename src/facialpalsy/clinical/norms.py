"""Norms: how far left and right differ in healthy people, per expression, for one landmark engine.

A table holds, for each expression, the healthy standard deviation of every measure's left-right difference about
zero (the root mean square, so that mirroring changes nothing), the 95th percentile of each region's asymmetry, and
the standard deviation of each movement's difference. Limits are two-sided 95 %: |z| <= 1.96.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from facialpalsy.clinical.expressions import Expression
from facialpalsy.errors import InputNotFoundError, NormsError
from facialpalsy.writing import write_text

SCHEMA = "facialpalsy.norms/1"
Z_LIMIT = 1.96
"""|z| beyond which a difference lies outside the limits of 95 % of healthy people."""

MIN_PEOPLE = 10
"""Fewer people do not give limits."""


@dataclass(frozen=True)
class ExpressionNorms:
    """Healthy spread for one expression.

    Attributes:
        people: How many people were measured.
        measures: Measure name -> standard deviation of left minus right about zero (iod or degrees).
        regions: Region name (brow, eye, midface, mouth, overall) -> 95th percentile of its asymmetry.
        movements: Movement name -> standard deviation of left minus right about zero, in iod.
    """

    people: int
    measures: Mapping[str, float] = field(default_factory=dict)
    regions: Mapping[str, float] = field(default_factory=dict)
    movements: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Norms:
    """A table of healthy limits with its provenance.

    Attributes:
        name: Short name, shown beside every z.
        engine: Landmark engine that it was measured with; it holds for no other.
        scheme: Landmark scheme.
        source: Who was measured: corpus, licence, ages, how.
        closed_fissure: Largest palpebral fissure height (iod) of healthy closed eyes, or None when not measured.
        expressions: Expression name -> healthy spread.
    """

    name: str
    engine: str
    scheme: str
    source: str
    closed_fissure: float | None
    expressions: Mapping[str, ExpressionNorms]

    def reason_against(self, engine: str, scheme: str) -> str | None:
        """Why this table does not hold for points of `engine` in `scheme`, or None where it does."""
        if (engine, scheme) == (self.engine, self.scheme):
            return None
        return (
            f"the healthy limits '{self.name}' were measured with {self.engine} {self.scheme} points, not with "
            f"{engine} {scheme} points; fit a table for these with `facialpalsy norms fit`"
        )


@cache
def default_norms(engine: str = "own") -> Norms:
    """The limits shipped with the package for points of an engine, or MediaPipe's, which say that they do not hold.

    They are of 52 people of the London set, neutral and smiling. Our own networks learnt from half of them, whose sides
    differ no less in their points than those of the others (`benchmarks/norms_london.py`).
    """
    folder = resources.files("facialpalsy.clinical")
    file = folder.joinpath(f"norms_london_{engine}.json")
    if not file.is_file():
        file = folder.joinpath("norms_london_mediapipe.json")
    return _from_json(json.loads(file.read_text("utf-8")))


def read_norms(path: Path) -> Norms:
    """A table written by `facialpalsy norms fit`.

    Raises:
        InputNotFoundError: no such file.
        NormsError: not such a table.
    """
    if not path.is_file():
        raise InputNotFoundError(f"The table of healthy limits {path.name!r} does not exist; check --norms.")
    try:
        return _from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError, OSError, RecursionError) as error:
        raise NormsError(
            f"{path.name!r} is not a table of healthy limits ({error}); make one with `facialpalsy norms fit`."
        ) from error


def write_norms(path: Path, norms: Norms) -> None:
    """Write a table as JSON."""
    write_text(path, json.dumps({"schema": SCHEMA, **asdict(norms)}, indent=1, sort_keys=False) + "\n")


def _from_json(data: dict[str, Any]) -> Norms:
    if data["schema"] != SCHEMA:
        raise ValueError(f"its schema is {data['schema']!r}, expected {SCHEMA!r}")
    expressions = {
        Expression.parse(name).value: ExpressionNorms(**values) for name, values in data["expressions"].items()
    }
    spreads: list[Any] = []
    for norms in expressions.values():
        spreads += [norms.people, *norms.measures.values(), *norms.regions.values(), *norms.movements.values()]
    if not all(_is_number(value) and value > 0 for value in spreads):
        raise ValueError("every spread must be a number above 0")
    closed = data["closed_fissure"]
    if closed is not None and not (_is_number(closed) and closed >= 0):
        raise ValueError("the closed fissure must be a number, 0 or more, or null")
    fields = {name: str(data[name]) for name in ("name", "engine", "scheme", "source")}
    return Norms(**fields, closed_fissure=closed, expressions=expressions)


def _is_number(value: Any) -> bool:
    return type(value) in (float, int) and math.isfinite(value)
