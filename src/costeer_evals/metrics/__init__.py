"""What a text or a likelihood is worth, one file a metric.

``overlap`` ROUGE and METEOR; ``repetition`` how a text repeats itself; ``adherence`` whether it
respects the person; ``likelihood`` what to keep of a policy's rows, ``calibration`` temperatures
and the gap closed; ``judge`` and ``armorm`` other models' opinions. Knows nothing of how texts were
made.
"""
