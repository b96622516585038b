"""Measuring: the paper's tasks, methods and metrics, and the statistics to compare them.

``tasks`` rows of the benchmarks as samples; ``prompts`` samples as token ids; ``retrieval`` which
records of a user matter; ``methods`` the rules that are compared, over rows of log-probabilities;
``metrics`` what a text or a likelihood is worth; ``statistics`` intervals and tests; ``baselines``
the baselines that need no model. Nothing here loads a language model or shows a result.
"""
