"""Look: what a synthetic person looks like, apart from the shape of the face.

Everything is drawn from the person's own generator; `handed` -1 makes the mirror image of the whole look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from facialpalsy.synth.style import Style

# The Monk Skin Tone scale (Ellis Monk, 2022), tones 1 to 10, sRGB.
MONK_TONES = (
    (246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150),
    (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32),
)  # fmt: skip

_IRIS_COLOURS = ((0.10, 0.05, 0.025), (0.16, 0.09, 0.04), (0.14, 0.13, 0.06), (0.12, 0.19, 0.26), (0.22, 0.26, 0.28))
_HAIR_COLOURS = (
    (0.012, 0.010, 0.010),
    (0.035, 0.02, 0.012),
    (0.09, 0.05, 0.025),
    (0.28, 0.17, 0.07),
    (0.20, 0.06, 0.025),
)
_GREY_HAIR = (0.42, 0.41, 0.40)

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """Skin, hair and what is worn. Colours are linear RGB reflectances.

    Attributes:
        seed: Of every texture of this person.
        handed: 1, or -1 for the mirror image.
        tone: Monk skin tone, 1 to 10.
        skin: Colour of plain skin.
        redness: Extra red of cheeks and nose, 0 to 1.
        age: 0 young to 1 old: lines that stay at rest, spots.
        freckles: 0 to 1.
        lips: Colour of the lips.
        iris: Colour of the iris.
        pupil: Radius of the pupil as a share of the iris.
        hair: Colour of hair and brows.
        hair_style: `bald`, `short`, `fringe` or `long`.
        hair_thickness: Centimetres above the scalp.
        hairline: How far the hairline has gone back, 0 to 1.
        brow_thickness: Share of the usual height of the brow.
        brow_density: 0 to 1.
        beard: 0 none, below 0.5 stubble, to 1 full.
        glasses: Colour of the frame, or None.
        glasses_shape: 0 round to 1 square.
        cloth: Colour of the clothes.
    """

    seed: int
    handed: int
    tone: int
    skin: Colour
    redness: float
    age: float
    freckles: float
    lips: Colour
    iris: Colour
    pupil: float
    hair: Colour
    hair_style: str
    hair_thickness: float
    hairline: float
    brow_thickness: float
    brow_density: float
    beard: float
    glasses: Colour | None
    glasses_shape: float
    cloth: Colour

    def mirrored(self) -> Look:
        """The look of the mirror image."""
        return replace(self, handed=-self.handed)


def draw_look(rng: np.random.Generator, style: Style) -> Look:
    """A look drawn evenly over the Monk scale."""
    tone = int(rng.integers(1, 11))
    # The scale's swatches are paler than skin under white light, where blood takes green and blue away.
    skin = linear(np.array(MONK_TONES[tone - 1]) / 255) * np.array([1.0, 0.80, 0.70]) * style.skin_brightness
    skin = (skin + np.array([0.035, 0.022, 0.015])) * np.exp(
        rng.normal(0, style.skin_jitter) * np.array([0.6, 0.0, -0.6])
    )
    skin = skin * np.exp(rng.normal(0, style.skin_jitter))
    age = float(rng.beta(1.6, 1.6))
    dark = tone >= 6
    hair = np.array(_HAIR_COLOURS[int(rng.integers(2 if dark else len(_HAIR_COLOURS)))]) * np.exp(rng.normal(0, 0.2))
    if rng.random() < age**2:
        hair = hair + (np.array(_GREY_HAIR) - hair) * rng.uniform(0.4, 1)
    iris = np.array(_IRIS_COLOURS[int(rng.integers(2 if dark else len(_IRIS_COLOURS)))]) * np.exp(
        rng.normal(0, 0.15, 3)
    )
    bearded = rng.random() < style.bearded
    long_hair = 0.0 if bearded else style.long_hair
    usual = (1 - long_hair - style.bald) / 2
    hair_style = str(rng.choice(["bald", "short", "fringe", "long"], p=[style.bald, usual, usual, long_hair]))
    lips = skin * np.array([0.82, 0.52, 0.52]) + np.array([0.035, 0.0, 0.004]) * rng.uniform(0.3, 2.2)
    return Look(
        seed=int(rng.integers(2**31)),
        handed=1,
        tone=tone,
        skin=_colour(skin),
        redness=float(rng.uniform(0, 1)),
        age=age,
        freckles=float(max(0, rng.uniform(-1, 1))),
        lips=_colour(lips),
        iris=_colour(iris),
        pupil=float(rng.uniform(0.28, 0.5)),
        hair=_colour(hair),
        hair_style=hair_style,
        hair_thickness=float(rng.uniform(0.4, 1.8)),
        hairline=float(rng.uniform(0, 0.4) if hair_style != "short" else rng.uniform(0, 1)),
        brow_thickness=float(rng.uniform(0.6, 1.35)),
        brow_density=float(rng.uniform(0.5, 1.0)),
        beard=float(rng.uniform(0.15, 1)) if bearded else 0.0,
        glasses=_colour(rng.uniform(0.01, 0.25, 3) ** 1.5) if rng.random() < style.glasses else None,
        glasses_shape=float(rng.random()),
        cloth=_colour(rng.uniform(0.02, 0.8, 3)),
    )


def linear(srgb: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Linear light of sRGB, both 0 to 1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _colour(values: np.ndarray) -> Colour:  # type: ignore[type-arg]
    red, green, blue = np.clip(values, 0.004, 0.95).tolist()
    return red, green, blue
