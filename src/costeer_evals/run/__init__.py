"""Run experiments: every method on every sample, resumable after any interruption.

``experiment`` what to do; ``models`` which model reads which prompt, and what a run's header says
of the models; ``scoring`` likelihoods of references, ``choosing`` of options; ``lane`` and
``writing`` generated texts, ``texts`` their scores; ``results`` the file that a run appends to,
``row`` the rows in it; ``loop`` the samples that are still missing, and running them; ``job`` all
of it together; ``logprob_store`` log-probabilities kept on disk; ``distributed`` the loop on a
Ray cluster; ``rating`` ratings of kept texts, and ``raters`` who gives them. Knows nothing of
tables.
"""
