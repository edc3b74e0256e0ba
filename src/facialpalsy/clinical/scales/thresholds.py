"""Thresholds: every number by which a measured exam becomes an item of a grading scale.

All of them are a proposal of this project (rule of the software estimate in the clinical reference, section 1.1,
marked there as proposed), to be confirmed by clinicians and one day fitted. None is part of a published scale.
"""

from __future__ import annotations

HEALTHY_Z = 1.96
"""A left-right difference is beyond healthy limits where |z| is above this: 95 % of healthy people lie within."""

UNBIASED_SLOPE = 0.8
"""A landmark engine that reports at least this share of a true difference is taken as unbiased."""

SMALLEST_SLOPE = 0.01
"""An engine that reports less than this share reports nothing; the bound keeps the worst case finite."""

PALSY_RATIO = 0.75
"""Action below this share of the reference side's is palsy of that action (House-Brackmann III, FNGS 2.0 cell 2)."""

CLEARLY_WEAK_RATIO = 0.50
"""Below it a zone is clearly weak: House-Brackmann IV and the branch patterns; FNGS 2.0 cell 3 lies above it."""

BARELY_RATIO = 0.25
"""Barely perceptible movement: House-Brackmann V, FNGS 2.0 cell 5."""

TRACE_RATIO = 0.05
"""No movement: at or below this, or at or below the noise where that is larger (but never above `BARELY_RATIO`)."""

SPARED_RATIO = 0.50
"""A zone that moves less than this is not called spared, even where its difference is within healthy limits."""

COMPLETE_RATIO = 0.90
"""Almost complete below, complete from here on; says also which zones are spared where healthy limits are unknown."""

MOVEMENT_STEPS = (0.10, 0.40, 0.70, COMPLETE_RATIO)
"""A Sunnybrook movement item is 1 below the first ratio, 2 below the second, 3, 4 below the last and 5 from there."""

SURELY_CLOSED_IOD = 0.011
"""An eye that stays open by no more than this is closed in the worst case too where no limit of a closed eye was
measured: the 1 mm below which auto-eFACE takes an eye as closed (clinical reference, section 1.4), at about 91 mm
between the outer canthi."""

SMALL_SMILE_IOD = 0.077
"""A smile that moves the reference side less is small: commissures of healthy people move 7 to 22 mm (Paletz et al.
1994; clinical reference, section 2.4), and 7 mm are 0.077 at about 91 mm between the outer canthi."""

SYNKINESIS_STEPS = (0.10, 0.25, 0.50)
"""Synkinesis is 0 below the first share of the region's own movement range, 1 below the second, 2, 3 from the last."""
