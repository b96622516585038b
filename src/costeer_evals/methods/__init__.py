"""The methods to compare, as rules over rows of log-probabilities.

``base`` what a method is; ``plain`` one model alone; ``costeer`` and ``auto`` this project's;
``own_words``, ``floored`` and ``text_cache`` rules that were given up; ``guided`` any of them with
the guide; ``capped`` any of them under a cap; ``related`` those of other papers; ``registry`` all
by name. Knows nothing of models: the caller fills the rows.
"""
