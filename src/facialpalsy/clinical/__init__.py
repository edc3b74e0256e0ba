"""Clinical: what clinicians agreed on, as data and pure functions."""
