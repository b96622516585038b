"""What answers tell about the context that steered them, and what steering is worth beside it.

``arms`` ways to answer; ``candidates`` the people among whom an attacker looks, and the same person
with one thing changed; ``writing`` answers, written by the product; ``replay`` how likely a
candidate's context makes an answer; ``scores`` what comes of it, as a row; ``job`` all of it for one
file of rows; ``table`` the table.
"""
