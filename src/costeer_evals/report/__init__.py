"""Tables, comparisons and plots of files of results.

``collect`` rows of files as sections whose methods are compared; ``likelihood`` and ``texts`` a
table of each kind; ``ratings`` ratings in these
tables; ``sweep`` a table by gain, ``tuning`` the best gain; ``published`` the paper's
numbers, ``paper_tables`` its tables; ``compare`` two methods; ``table`` tables as Markdown, CSV and
JSON; ``plots`` pictures. Knows nothing of models, and reads no benchmark.
"""
