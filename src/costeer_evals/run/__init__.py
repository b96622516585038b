"""Running experiments: every method on every sample, once, however often it is interrupted.

``experiment`` what is to be done; ``models`` who reads which prompt; ``scoring`` likelihoods of
references, ``choosing`` of options; ``lane`` and ``writing`` texts, ``texts`` what they are worth;
``results`` the file that a run appends to, ``row`` what stands in it, ``provenance`` what made it;
``loop`` what is missing, and doing it; ``worker`` who does it, ``distributed`` over Ray; ``job``
everything together; ``logprob_store`` log-probabilities kept on disk; ``rating`` and ``raters``
judges of kept texts. Knows nothing of tables.
"""
