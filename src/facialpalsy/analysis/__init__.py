"""Analysis: from pictures to an Assessment."""

from facialpalsy.analysis.inputs import find_jobs
from facialpalsy.analysis.pipeline import Result, analyze, run_job
from facialpalsy.analysis.request import Job, Settings

__all__ = ["Job", "Result", "Settings", "analyze", "find_jobs", "run_job"]
