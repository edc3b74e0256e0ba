"""Side: the subject's own left and right, and what is known about a picture's mirroring.

An unmirrored frontal photo shows the subject's right on the image's left. No landmark can tell a mirrored
photo from an unmirrored one, so whether a picture is mirrored is asked of the user and kept with every result.
"""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """A side of the subject's own body."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT

    @property
    def sign(self) -> int:
        """Sign of this side's x in the face frame: +1 for left, -1 for right."""
        return 1 if self is Side.LEFT else -1


class Mirrored(StrEnum):
    """Whether a picture was mirrored by the camera or its software."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


class SideFrame(StrEnum):
    """What left and right mean in a result.

    `subject`: the subject's own sides. `image`: the halves of the image, its left on the left; used when the mirroring
    is unknown, and then nothing says which side of the subject that is.
    """

    SUBJECT = "subject"
    IMAGE = "image"

    @classmethod
    def of(cls, mirrored: Mirrored) -> SideFrame:
        """The frame that a capture's mirroring allows."""
        return cls.IMAGE if mirrored is Mirrored.UNKNOWN else cls.SUBJECT


class ReferenceSide(StrEnum):
    """The side to compare with, named by the user. Often called healthy; it is not always."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"
    NONE = "none"
    UNKNOWN = "unknown"

    @property
    def side(self) -> Side | None:
        """The one reference side, or None where there is not exactly one."""
        return Side(self.value) if self.value in ("left", "right") else None
