"""The benchmarks, one file each; ``registry`` knows them by name, ``base`` what they share.

Knows file formats and the prompts of the paper's authors (github.com/USTC-StarTeam/CoSteer). Data
come from a path or from the hub; only ``everyday`` and ``people`` are part of the project.
"""
