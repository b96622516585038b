import numpy as np

from costeer.cloud.recall import Recall


def test_the_latest_rows_by_what_they_follow():
    recall = Recall(rows=2)
    rows = [np.full(3, i, np.float32) for i in range(3)]
    for i, row in enumerate(rows):
        recall.put((1, i), row)
    assert recall.get((1, 0)) is None
    assert recall.get([1, 1]) is rows[1]
    assert recall.get((1, 2)) is rows[2]
    recall.put((1, 2), rows[0])
    assert recall.get((1, 2)) is rows[0]
    assert recall.get((1,)) is None
