"""Media: reading photos and clips from hostile or honest files as upright RGB pixels."""

from facialpalsy.media.photo import PHOTO_SUFFIXES, Photo, read_photo
from facialpalsy.media.source import file_sha256
from facialpalsy.media.video import VIDEO_SUFFIXES, Frame, read_frames, read_frames_at

__all__ = [
    "PHOTO_SUFFIXES",
    "VIDEO_SUFFIXES",
    "Frame",
    "Photo",
    "file_sha256",
    "read_frames",
    "read_frames_at",
    "read_photo",
]
