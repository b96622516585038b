import numpy as np

from costeer.cloud.recall import Recall


def test_the_latest_rows_by_what_they_follow():
    recall = Recall(rows=2)
    rows = [np.full(3, i, np.float32) for i in range(3)]
    for i, row in enumerate(rows):
        recall.put((1, i), row)
    held = [[7], (1, 0, 4), (1, 1), [1, 2, 5]]
    assert recall.get((1, 0), held) is None  # the oldest made room
    assert recall.get([1, 1], held) is rows[1]
    assert recall.get((1, 2), held) is rows[2]
    recall.put((1, 2), rows[0])
    assert recall.get((1, 2), held) is rows[0]
    assert recall.get((1,), held) is None


def test_a_row_whose_ids_no_sequence_holds_is_not_given():
    recall = Recall()
    recall.put((1, 2), np.zeros(3, np.float32))
    assert recall.get((1, 2), [(1,), (1, 3), (2, 1, 2)]) is None
