"""Recognition: whether the shipped networks see a palsy, and if so of which action units on which side.

The recogniser comes first; the region network is asked where it sees a palsy, or of every exam if that is wanted. Both
take any part of an exam, down to a single photo, and say more of a whole one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from facialpalsy.analysis.exam import ExamResult
from facialpalsy.analysis.seen import Arrays, Seen, inputs_of, provenance, seen_captures, side_in
from facialpalsy.assessment import Capture, FaceMaps, PalsyRegions, Recognition, RegionScore, UnitPalsy
from facialpalsy.assessment import Engine as EngineModel
from facialpalsy.clinical.actions import ACTIONS, PALSY_UNITS
from facialpalsy.clinical.evidence import Zone
from facialpalsy.errors import AssetHashError, AssetNotInstalledError
from facialpalsy.face import Side, SideFrame
from facialpalsy.weights import POINTS, RECOGNISER, REGIONS, ModelCard, find_card, open_model

PALSY = "palsy"
"""Name of the recogniser's threshold in its card."""

# As a palsy label AU26 stands for the lower lip.
_ACTIONS = {unit: ACTIONS[unit].name for unit in PALSY_UNITS} | {"AU26": "lower lip"}
_ZONES = {unit: str(ACTIONS[unit].zone) for unit in PALSY_UNITS} | {"AU26": str(Zone.MOUTH)}

UNITS = tuple((unit, side) for unit in PALSY_UNITS for side in Side)
"""What each heat map is of, by the network's sides."""


@dataclass(frozen=True)
class Recognised:
    """What the networks add to an exam.

    Attributes:
        recognition: Whether there is a palsy.
        regions: Which units are palsied.
        captures: All captures of the exam; those that the region network saw with their scores.
        models: The networks that were asked.
        maps: Capture index -> the maps given, with where the palsy is.
    """

    recognition: Recognition
    regions: PalsyRegions
    captures: tuple[Capture, ...]
    models: tuple[EngineModel, ...] = ()
    maps: Mapping[int, FaceMaps] = field(default_factory=dict)


def recognise_exam(
    exam: ExamResult, captures: tuple[Capture, ...], maps: Mapping[int, FaceMaps], *, regions_of_all: bool
) -> Recognised:
    """Ask the shipped recogniser and region network.

    Args:
        exam: The exam as the scales saw it.
        captures: Its captures, with what the grader said of them.
        maps: Capture index -> maps of the grader.
        regions_of_all: Whether the region network is asked of exams that the recogniser sees no palsy in, too.
    """
    seen = seen_captures(exam)
    recognition, points, models = _recognition(seen)
    card = _card(REGIONS)
    if (reason := _no_regions(card, seen, recognition, points, wanted=regions_of_all)) is not None:
        caution = card.caution if isinstance(card, ModelCard) else None
        return Recognised(recognition, PalsyRegions(withheld=reason, caution=caution), captures, models, maps)
    assert isinstance(card, ModelCard)  # noqa: S101  else there was a reason
    found = open_model(REGIONS).run({**inputs_of(seen, card.preprocessing.size), **points})
    frame = exam.exam.side_frame
    regions = _regions(found["palsy"], card, frame)
    palsied = np.array([one.palsied for one in regions.units])
    said, drawn = dict(enumerate(captures)), dict(maps)
    places = palsy_places(found["maps"], found["palsy"], palsied)
    for one, heat, where in zip(seen, found["maps"], places, strict=True):
        said[one.index] = _said(said[one.index], one.index, heat, frame)
        drawn[one.index] = replace(drawn[one.index], palsy=where) if one.index in drawn else one.face(palsy=where)
    return Recognised(recognition, regions, tuple(said.values()), (*models, provenance(card)), drawn)


def palsy_places(
    maps: NDArray[np.float32], palsy: NDArray[np.float32], palsied: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """(n, side, side) from 0 to 1, where the palsy of an exam of n photos is.

    A heat map peaks at its unit's place and dips there where a photo shows no palsy, as one at rest does of most. So
    its size says where, and the exam's probability says how much. All photos have one scale, on which the deepest place
    is seen among others that are deep too.

    Args:
        maps: (n, units, side, side) heat maps.
        palsy: (units,) probability of each.
        palsied: (units,) which are called palsied; the others add nothing.
    """
    size = np.abs(maps[:, palsied])
    size /= np.maximum(size.max(axis=(2, 3), keepdims=True), np.finfo(size.dtype).tiny)
    places = np.einsum("nuij,u->nij", size, palsy[palsied])
    return np.asarray(places / max(1, places.max()))


def _recognition(seen: Sequence[Seen]) -> tuple[Recognition, Arrays, tuple[EngineModel, ...]]:
    """What the recogniser says, the points that it found for the region network, and its provenance."""
    card = _card(RECOGNISER)
    if not isinstance(card, ModelCard):
        return (Recognition() if card is None else Recognition(withheld=card)), {}, ()
    if not seen:
        return Recognition(withheld=_nothing_seen(), caution=card.caution), {}, ()
    found = open_model(RECOGNISER).run(inputs_of(seen, card.preprocessing.size))
    probability, threshold = float(found["palsy"][0]), card.thresholds[PALSY]
    recognition = Recognition(
        probability=round(probability, 4),
        withheld=None,
        palsied=probability >= threshold,
        threshold=round(threshold, 4),
        captures=len(seen),
        model=card.name,
        caution=card.caution,
    )
    points = {POINTS: found[POINTS]} if POINTS in found else {}
    return recognition, points, (provenance(card),)


def _card(name: str) -> ModelCard | str | None:
    """The card of a network; why it cannot be used; None where it does not come with this copy."""
    try:
        return find_card(name)
    except AssetNotInstalledError:
        return None
    except AssetHashError as error:
        return str(error)


def _nothing_seen() -> str:
    return "No usable capture says what it shows; name the expression of each, in exam.csv or by --expression."


def _no_regions(
    card: ModelCard | str | None, seen: Sequence[Seen], recognition: Recognition, points: Arrays, *, wanted: bool
) -> str | None:
    """Why the region network is not asked, or None."""
    if not isinstance(card, ModelCard):
        return PalsyRegions().withheld if card is None else card
    if not seen:
        return _nothing_seen()
    if POINTS in card.inputs and POINTS not in points:
        return f"The region network takes the points that the recogniser finds: {recognition.withheld}"
    if wanted or recognition.palsied:
        return None
    if recognition.palsied is None:
        return f"Whether there is a palsy was not said: {recognition.withheld}"
    return (
        "The recogniser's probability of a palsy is below its threshold, which does not exclude one. Ask for the "
        "regions all the same with --regions."
    )


def _regions(palsy: NDArray[np.float32], card: ModelCard, frame: SideFrame) -> PalsyRegions:
    units = []
    for (unit, side), probability in zip(UNITS, palsy.tolist(), strict=True):
        threshold = card.thresholds[unit]
        units.append(
            UnitPalsy(
                au=_number(unit),
                action=_ACTIONS[unit],
                zone=_ZONES[unit],
                side=side_in(frame, side),
                probability=round(probability, 4),
                threshold=round(threshold, 4),
                palsied=probability >= threshold,
            )
        )
    return PalsyRegions(units=tuple(units), withheld=None, model=card.name, caution=card.caution)


def _said(capture: Capture, index: int, heat: NDArray[np.float32], frame: SideFrame) -> Capture:
    """The capture with the scores of its heat maps, and the name of the file of its map."""
    scores = heat.clip(-1, 1).mean(axis=(1, 2)).tolist()
    regions = tuple(
        RegionScore(au=_number(unit), side=side_in(frame, side), score=round(score, 4))
        for (unit, side), score in zip(UNITS, scores, strict=True)
    )
    return capture.model_copy(
        update={"regions": regions, "maps": {**capture.maps, "palsy": f"map_palsy_{index + 1}.png"}}
    )


def _number(unit: str) -> int:
    return int(unit.removeprefix("AU"))
