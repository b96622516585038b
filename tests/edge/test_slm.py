import numpy as np

from costeer.decoding.auto import Auto, AutoParams
from costeer.edge.slm import LocalSteering, NoSteering
from costeer.models.fake import FakeModel


class Counting(FakeModel):
    """Counts tokens evaluated and batches run."""

    def __init__(self):
        super().__init__()
        self.tokens = self.batches = 0

    def extend_many(self, work, rows=None):
        self.batches += 1
        self.tokens += sum(len(ids) for _, ids in work)
        return super().extend_many(work, rows)


def expected(model, private, public):
    return model.logprobs(private) - model.logprobs(public)


def test_the_delta_is_with_minus_without():
    model = FakeModel()
    local = LocalSteering(model)
    first = local.begin([1, 2], [9, 1, 2])
    assert np.allclose(first, expected(model, [9, 1, 2], [1, 2]), atol=1e-5)
    rows = local.delta([5, 6])
    assert rows.shape == (2, model.vocab_size)
    assert np.allclose(rows[1], expected(model, [9, 1, 2, 5, 6], [1, 2, 5, 6]), atol=1e-5)


def test_rollback():
    local = LocalSteering(FakeModel())
    local.begin([1, 2], [9, 1, 2])
    row = local.delta([5, 6])[1]
    local.delta([7, 8])
    local.rollback(3)
    assert np.array_equal(local.delta([6])[0], row)


def test_auto_takes_the_place_of_the_difference_for_one_answer():
    model = FakeModel()
    local = LocalSteering(model)
    local.params = AutoParams()

    def by_hand(*answer):
        rule = Auto(AutoParams(), [9, 5])
        for end in range(len(answer) + 1):
            with_ = model.logprobs([1, 9, 5, 2, *answer[:end]])[None]
            bonus = rule.bonus(with_, model.logprobs([1, 2, *answer[:end]])[None], answer[:end])
        return bonus[0]

    first = local.begin([1, 2], [1, 9, 5, 2])
    assert np.allclose(first, by_hand(), atol=1e-5)
    local.delta([9, 5, 7])
    local.rollback(2)
    after = local.delta([4, 5])  # the answer is 9 4 5, and has 5 only now
    assert np.allclose(after, [by_hand(9, 4), by_hand(9, 4, 5)], atol=1e-5)
    local.params = None
    plain = model.logprobs([1, 9, 5, 2]) - model.logprobs([1, 2])
    assert np.allclose(local.begin([1, 2], [1, 9, 5, 2]), plain, atol=1e-5)


def test_each_prompt_is_read_by_itself_and_the_next_turn_reads_only_what_is_new():
    model = Counting()
    local = LocalSteering(model)
    public, private = list(range(20)), list(range(100, 160))
    local.begin(public, private)
    assert (model.batches, model.tokens) == (2, 80)
    local.delta([5])
    assert (model.batches, model.tokens) == (3, 82)
    local.begin([*public, 5, 6], [*private, 5, 6])
    assert (model.batches, model.tokens) == (5, 84)
    local.begin([*public, 5, 6], [*private, 5, 6])  # the same again: the last token only
    assert model.tokens == 86


def test_closing_frees_both_sequences():
    model = FakeModel(max_sequences=2)
    LocalSteering(model).close()
    LocalSteering(model).close()
    assert model.opened == 0


def test_no_steering_is_zero():
    local = NoSteering(7)
    assert not local.begin([1], [2]).any()
    assert local.delta([1, 2]).shape == (2, 7)
