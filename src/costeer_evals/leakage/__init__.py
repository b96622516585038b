"""What answers tell about the context that steered them, and what steering is worth beside it.

``arms`` ways to answer; ``candidates`` the people among whom an attacker looks, and the same person
with one record changed; ``writing`` answers, written by the product; ``replay`` how likely a
candidate's context makes an answer; ``reader`` which of two records a reader of the text takes for
the person's; ``scores`` what comes of it, as a row; ``job`` a whole run; ``table`` the table.
"""
