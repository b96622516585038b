from costeer.privacy import pools
from costeer.privacy.folding import fold


def test_words_of_the_pools_are_unlike_one_another_and_unlike_english() -> None:
    for pool in (pools.FIRST, pools.LAST, pools.PLACES):
        folded = [fold(word).text for word in pool]
        assert len(pool) >= 60
        assert len(set(folded)) == len(folded)
        assert not set(folded) & (pools.WORDS_TOO | pools.NO_NAMES)
    assert not set(pools.FIRST) & set(pools.LAST)
    assert not set(pools.FIRST) & set(pools.LAST)
