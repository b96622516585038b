"""The words of a question that a search looks for: those that are no stop words.

The stop words are articles, pronouns, prepositions, auxiliaries and question words of five
languages; the language with most of the question's words is taken, so that German "die" does not
take "die" out of an English question. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_WORDS = 32

STOP_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(
        """a about after all also am an and any are as at be because been before being but by can
        could did do does doing for from get give had has have having he her here hers him his how i
        if in into is it its just let like may me might more most my no not of off on one or our out
        over please shall she should so some such tell than that the their them then there these
        they this those to too up us very was we were what when where which while who whom whose why
        will with would write you your yours""".split()
    ),
    "de": frozenset(
        """aber alle als also am an auch auf aus bei bin bis bist bitte da damit dann das dass dein
        deine dem den der des dich die dies diese dieser dir doch du ein eine einem einen einer
        eines er es für gib haben habe hat ich ihm ihn ihr im in ist ja kann kannst man mein meine
        meinem meinen meiner mich mir mit nach nicht noch nur ob oder schreib schreibe sehr sein
        sich sie sind so soll über um und uns unser von vom vor wann war warum was welche welcher
        wenn wer werden wie will wir wird wo zu zum zur""".split()
    ),
    "fr": frozenset(
        """ai as au aux avec avez ce ces cet cette chez comme comment dans de des dois donc du elle
        en est et être eu il ils j je l la le les leur lui ma mais me mes moi mon n ne nos notre
        nous on ont ou où par pas plus pour pourquoi puis qu quand que quel quelle quels quelles qui
        quoi s sa sans se ses si son sont suis sur ta te tes toi ton tu un une vos votre vous y
        d c écris""".split()
    ),
    "es": frozenset(
        """a al algo como con cómo cual cuál cuando cuándo de del donde dónde dos e el ella en es
        escribe ese esta este está esto ha hay he la las le les lo los me mi mis muy más ni no nos o
        para pero por porque puedo que qué quien quién se ser si sin sobre son soy su sus también te
        tengo ti tu tus un una uno unos y ya yo""".split()
    ),
    "it": frozenset(
        """a ai al alla alle anche che chi ci come con cosa cui da dal dalla dei del della delle di
        dove e ed era gli ha hai ho i il in io l la le lei lo loro lui ma me mi mia mie miei mio nei
        nel nella noi non o per perché più posso quale quali quando questa questo scrivi se sei si
        sono su sua sue sul sulla suo ti tra tu un una uno vi voi è""".split()
    ),
}


def question_words(question: str) -> list[str]:
    """The words to look for, in lower case, each once, at most 32 of them."""
    words = list(dict.fromkeys(re.findall(r"\w+", question.lower())))
    stop = STOP_WORDS[language(words)]
    return [word for word in words if word not in stop][:MOST_WORDS]


def language(words: Sequence[str]) -> str:
    """The language with most stop words among the words; English among equals."""
    return max(STOP_WORDS, key=lambda name: sum(word in STOP_WORDS[name] for word in words))


def match_expression(words: Sequence[str]) -> str:
    """The words as an FTS5 query for records with any of them; quoted, so nothing is syntax."""
    return " OR ".join(f'"{word}"' for word in words)
