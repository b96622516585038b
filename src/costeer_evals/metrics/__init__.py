"""Scores of a text or of a likelihood, one file per metric.

``overlap`` ROUGE and METEOR; ``repetition`` how a text repeats itself; ``adherence`` whether it
respects the person; ``likelihood`` what is kept of a policy's rows; ``calibration`` temperatures
and the gap closed; ``judge`` and ``armorm`` ratings by other models. Knows nothing of how
texts were made.
"""
