"""Labels: the row of one picture, everything that was rendered and nothing that was only meant."""

from __future__ import annotations

from typing import Any

from facialpalsy.synth.shot import Photograph
from facialpalsy.synth.truth import ExamTruth, frame_labels


def picture_labels(picture: Photograph, truth: ExamTruth) -> dict[str, Any]:
    """Column -> value; lengths in pixels of the picture, angles in degrees, sides the subject's own."""
    shot = picture.shot
    look, scene, camera = shot.look, shot.scene, picture.frame.camera
    row = {
        **frame_labels(shot.patient, shot.take, picture.face, truth),
        "capture": f"exam_{shot.take.number + 1}",
        "mirrored": "no",
        "points_x": picture.landmarks.points[:, 0].tolist(),
        "points_y": picture.landmarks.points[:, 1].tolist(),
        "points_visible": picture.visible.tolist(),
        "camera_yaw_deg": scene.yaw,
        "camera_pitch_deg": scene.pitch,
        "camera_roll_deg": scene.roll,
        "camera_focal_mm": scene.focal_mm,
        "camera_distance_cm": camera.distance,
        "camera_scale_px": camera.scale,
        "camera_middle_x": camera.middle[0],
        "camera_middle_y": camera.middle[1],
        "look_tone": look.tone,
        "look_age": look.age,
        "look_hair": look.hair_style,
        "look_beard": look.beard,
        "look_glasses": look.glasses is not None,
        "scene_background": scene.background,
        "scene_grey": scene.grey,
        "scene_blur_px": scene.blur_px,
        "scene_noise": scene.noise,
        "scene_jpeg": scene.jpeg,
    }
    return {name: _rounded(value) for name, value in row.items()}


def _rounded(value: Any) -> Any:
    """Numbers to six decimals: the digits after them depend on the processor."""
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(float(value), 6) if isinstance(value, float) else value
