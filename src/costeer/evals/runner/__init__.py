"""Running experiments: every method on every sample, once, however often it is interrupted.

``experiment`` what is to be done; ``samples`` the samples, as token ids; ``branches`` which model
reads which prompt; ``loading`` these models; ``scoring`` likelihoods of references, ``choosing`` of
options; ``lane`` and ``generating`` texts, ``texts`` what they are worth; ``results`` the file that
a run appends to, ``row`` what stands in it, ``provenance`` what made it; ``todo`` what is missing,
``worker`` who does it, ``run`` the loop; ``distributed`` workers over Ray. Knows nothing of tables.
"""
