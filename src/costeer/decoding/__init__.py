"""The method, in numpy: no models, no text, no network.

``steering`` the rule and its one number, the gain; ``sampling`` how a token is chosen from
scores; ``certify`` choosing from the top k with proof; ``vocabulary`` when two models can be
combined at all.
"""
