"""Face: what a face is, before any picture is read or any network runs."""

from facialpalsy.face.alignment import FaceFrame, align, face_frame, mirror, mirror_landmarks, mirror_picture
from facialpalsy.face.colour_spread import colour_spread
from facialpalsy.face.iris_light import iris_light
from facialpalsy.face.landmarks import Landmarks
from facialpalsy.face.pose import Pose, head_pose
from facialpalsy.face.schemes import DENSE, FACE6, IBUG68, MEDIAPIPE478, SCHEMES, Scheme
from facialpalsy.face.side import Mirrored, ReferenceSide, Side, SideFrame

__all__ = [
    "DENSE",
    "FACE6",
    "IBUG68",
    "MEDIAPIPE478",
    "SCHEMES",
    "FaceFrame",
    "Landmarks",
    "Mirrored",
    "Pose",
    "ReferenceSide",
    "Scheme",
    "Side",
    "SideFrame",
    "align",
    "colour_spread",
    "face_frame",
    "head_pose",
    "iris_light",
    "mirror",
    "mirror_landmarks",
    "mirror_picture",
]
