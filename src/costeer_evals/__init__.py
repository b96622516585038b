"""Experiments: the paper's tasks, methods and metrics, and the statistics to compare them.

``tasks`` rows of the benchmarks as samples; ``samples`` these as token ids, ``prompts`` what each
model reads of them; ``retrieval`` which records of a user matter; ``methods`` the rules to compare,
over rows of log-probabilities; ``metrics`` scores of a text or a likelihood;
``statistics`` intervals and tests; ``baselines`` the baselines that need no model; ``run`` runs
experiments, ``report`` shows what came of them, ``cli`` is ``costeer eval``.
"""
