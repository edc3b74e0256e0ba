"""Model card: what a shipped network is, what it was trained on, and what it was never tested on."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Preprocessing(_Frozen):
    """What a picture must be made into before the network sees it.

    Attributes:
        size: Side of the square crop in pixels; height of one that is not square.
        columns: Width of a crop that is not square.
        colour: Order of its channels.
        range: Values of black and of white.
        alignment: How the face is cut out, in words.
    """

    size: int = Field(gt=0)
    columns: int | None = Field(default=None, gt=0)
    colour: Literal["RGB"] = "RGB"
    range: tuple[float, float] = (0.0, 1.0)
    alignment: str


class ModelCard(_Frozen):
    """Everything to be known of a network that comes with the package.

    Attributes:
        name: Short name, by which it is opened.
        version: Version of the weights.
        task: What it says about what.
        file: Name of the ONNX file beside the card.
        sha256: Of that file.
        licence: SPDX identifier of the weights.
        trained_on: Data, in words.
        caution: What is to be said wherever the network speaks.
        architecture: Network, in words; `preset` is its size by name.
        preprocessing: What a picture must be made into.
        side_convention: What left, right and a mirrored picture mean to it.
        inputs: Input of the graph -> shape, kind and meaning; `outputs` likewise.
        thresholds: What is decided -> probability from which it holds, chosen on validation people.
        metrics: Figures on held-out people with their intervals by person, freely nested.
        never_tested_on: What nobody has tried it on.
        made_by: Command that made the weights.
    """

    name: str
    version: str
    task: str
    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    licence: str
    trained_on: str
    caution: str
    architecture: str
    preset: str
    preprocessing: Preprocessing
    side_convention: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    thresholds: dict[str, float] = Field(default_factory=dict)
    metrics: dict[str, Any]
    never_tested_on: tuple[str, ...] = Field(min_length=1)
    made_by: str

    def to_json(self) -> str:
        """The card as JSON text."""
        return self.model_dump_json(indent=1) + "\n"
