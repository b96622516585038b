"""Every method that is compared, as a rule over rows of log-probabilities.

``base`` what a method is; ``plain`` one model alone; ``costeer`` this project's; ``related`` those
of other papers; ``registry`` all of them by name. Knows nothing of models: who fills the rows
decides which models they are of.
"""
