"""Patient: people with a palsy, their takes and their faces."""

from facialpalsy.synth.person import Patient, Take, draw_take, plain_take
from facialpalsy.synth.population import draw_patient, draw_patients
from facialpalsy.synth.pose import Face, pose_face

__all__ = ["Face", "Patient", "Take", "draw_patient", "draw_patients", "draw_take", "plain_take", "pose_face"]
