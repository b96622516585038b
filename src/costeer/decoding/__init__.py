"""The method, in numpy: no models, no text, no network.

``steering`` has the rule and its one number, the gain; ``auto`` sets the gain token by token;
``strength`` names the choices; ``sampling`` chooses a token from scores; ``certify`` chooses it
from the top k, with proof; ``vocabulary`` says whether two models can be combined.
"""
