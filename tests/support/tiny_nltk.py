"""NLTK's data in its own file formats, with two words in them: enough to run METEOR.

Both are their own stems, because NLTK looks synonyms up after stemming what is left.
"""

from __future__ import annotations

from pathlib import Path

SYNONYMS = ("auto", "car")
PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}


def write(folder: Path) -> Path:
    """Punkt tables that know one abbreviation, and a WordNet of one synset."""
    punkt = folder / "tokenizers" / "punkt_tab" / "english"
    wordnet = folder / "corpora" / "wordnet"
    punkt.mkdir(parents=True)
    wordnet.mkdir(parents=True)
    for name in ("sent_starters.txt", "collocations.tab", "ortho_context.tab"):
        (punkt / name).write_text("")
    (punkt / "abbrev_types.txt").write_text("dr\n")
    for part in PARTS:
        for kind in ("index", "data"):
            (wordnet / f"{kind}.{part}").write_text("")
        (wordnet / f"{part}.exc").write_text("")
    (wordnet / "lexnames").write_text("".join(f"{i:02}\tnoun.{i}\t1\n" for i in range(7)))
    (wordnet / "cntlist.rev").write_text("")
    (wordnet / "index.sense").write_text("")
    words = " ".join(f"{word} 0" for word in SYNONYMS)
    (wordnet / "data.noun").write_text(f"00000000 06 n 02 {words} 000 | a thing on wheels  \n")
    index = "".join(f"{word} n 1 0 1 0 00000000  \n" for word in SYNONYMS)
    (wordnet / "index.noun").write_text(index)
    return folder
