"""Actions: the action units of the face, the muscle and nerve behind each, and the zone that it is graded in.

Sources: the table of the clinical reference, section 4. The units are those of the Facial Action Coding System; their
numbers only name an action, what "palsy of a unit" means is this project's: its action is below 75 % of normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from facialpalsy.clinical.evidence import Zone


class Branch(StrEnum):
    """The branches of the facial nerve in the face."""

    TEMPORAL = "temporal"
    ZYGOMATIC = "zygomatic"
    BUCCAL = "buccal"
    MANDIBULAR = "marginal mandibular"


@dataclass(frozen=True)
class Action:
    """One action unit.

    Attributes:
        name: What it does.
        muscle: The muscles behind it.
        branches: Branches of the facial nerve that move them; empty where another nerve does.
        zone: Zone of the face that the nerve is graded in; None where the facial nerve does not move it.
    """

    name: str
    muscle: str
    branches: tuple[Branch, ...]
    zone: Zone | None


_T, _Z, _B, _M = Branch
ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "AU1": Action("inner brow raise", "frontalis, medial part", (_T,), Zone.FOREHEAD),
        "AU2": Action("outer brow raise", "frontalis, lateral part", (_T,), Zone.FOREHEAD),
        "AU4": Action("brow lower", "corrugator, depressor supercilii, procerus", (_T,), Zone.FOREHEAD),
        "AU5": Action("upper lid raise", "levator palpebrae, Mueller's muscle", (), None),
        "AU6": Action("cheek raise", "orbicularis oculi, orbital part", (_Z,), Zone.EYE),
        "AU7": Action("lid tighten", "orbicularis oculi, palpebral part", (_T, _Z), Zone.EYE),
        "AU9": Action("nose wrinkle", "levator labii superioris alaeque nasi", (_Z, _B), Zone.MIDFACE),
        "AU10": Action("upper lip raise", "levator labii superioris", (_Z, _B), Zone.MIDFACE),
        "AU12": Action("lip corner pull", "zygomaticus major", (_Z, _B), Zone.MOUTH),
        "AU14": Action("dimple", "buccinator", (_B,), Zone.MOUTH),
        "AU15": Action("lip corner depress", "depressor anguli oris", (_M,), Zone.MOUTH),
        "AU16": Action("lower lip depress", "depressor labii inferioris", (_M,), Zone.MOUTH),
        "AU17": Action("chin raise", "mentalis", (_M,), Zone.MOUTH),
        "AU18": Action("pucker", "incisivii, orbicularis oris", (_B, _M), Zone.MOUTH),
        "AU20": Action("lip stretch", "risorius, platysma", (_B,), Zone.MOUTH),
        "AU22": Action("funnel", "orbicularis oris", (_B, _M), Zone.MOUTH),
        "AU24": Action("lip press", "orbicularis oris", (_B, _M), Zone.MOUTH),
        "AU25": Action("lips part", "depressor labii inferioris; orbicularis oris relaxed", (_M,), Zone.MOUTH),
        "AU26": Action("jaw drop", "masseter relaxed, digastric (fifth nerve)", (), None),
        "AU28": Action("lip suck", "orbicularis oris", (_B, _M), Zone.MOUTH),
        "AU43": Action("eye closure", "levator relaxed, orbicularis oculi", (_T, _Z), Zone.EYE),
    }
)

PALSY_UNITS = ("AU1", "AU2", "AU4", "AU6", "AU9", "AU10", "AU12", "AU15", "AU16", "AU18", "AU25", "AU26", "AU43")
"""Units that have a palsy label. As such a label AU26 stands for the lower-lip region, never for the jaw."""

LOWER_LIP_UNITS = ("AU15", "AU16", "AU17")
"""The actions that the palsy label AU26 is the mean of."""
