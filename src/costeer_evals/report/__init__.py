"""What files of results say: tables, comparisons and plots.

``collect`` rows of files as sections that can be compared; ``likelihood`` and ``texts`` a table of
each; ``sweep`` a gain after another; ``published`` the paper's numbers and ``paper_tables`` its
tables; ``compare`` two methods; ``table`` what a table is, and how it is written; ``plots``
pictures. Knows nothing of models, and reads no benchmark.
"""
