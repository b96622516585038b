"""Open the large and the small model of a ``Costeer`` and check that they share a tokenizer.

The one place that knows what ``cloud`` and ``slm`` may name: a URL, a catalog name, a file, or an
object that is one already.
"""

from __future__ import annotations

from costeer.cloud.base import CloudModel, Recorder
from costeer.decoding.vocabulary import require_shared
from costeer.exceptions import ParameterError, UsageError
from costeer.models.base import LanguageModel
from costeer.models.engines.llamacpp_library import physical_cores
from costeer.models.files.catalog import DEFAULT_PAIR, pair_for

IN_PROCESS = "in-process"
FALLBACK_STRENGTH = "light"  # for a pair nobody has measured


def connect(
    cloud: str | CloudModel,
    slm: str | LanguageModel | None,
    *,
    llm: str | None,
    record: Recorder,
    context_length: int,
    threads: int | None,
    api_key: str | None,
    retries: int,
    lanes: int,
) -> tuple[CloudModel, LanguageModel, str]:
    """Open both models.

    Each lane needs two sequences of the small model, with and without the context, and one of a
    large model in this process. Several lanes share one more of those, for unsteered answers.

    Returns:
        The cloud, the small model, and a note for the user (or "").

    Raises:
        ParameterError: no lanes.
        VocabularyError: the models do not share a tokenizer.
        CoSteerError: one of them cannot be opened.
    """
    if lanes < 1:
        raise ParameterError(f"lanes must be at least 1, not {lanes}.")
    if cloud == IN_PROCESS and threads is None:
        threads = max(1, physical_cores() // 2)  # both work at the same time
    sequences = lanes + (lanes > 1)
    opened = _open_cloud(cloud, llm, record, context_length, threads, api_key, retries, sequences)
    try:
        info = opened.info()  # first: a missing server is reported before a model is loaded
        model = _open_slm(slm, context_length, threads, 2 * lanes)
    except BaseException:
        opened.close()
        raise
    try:
        proven = require_shared(
            model.tokenizer.vocabulary,
            cloud_size=info.vocab_size,
            cloud_fingerprint=info.fingerprint,
        )
    except BaseException:
        model.close()
        opened.close()
        raise
    if proven:
        return opened, model, ""
    return (
        opened,
        model,
        (
            f"The server does not say which tokenizer {info.model} has; "
            f"it is taken to be that of {model.name}."
        ),
    )


def recommended_strength(llm: str | None, cloud: CloudModel, slm: LanguageModel) -> float | str:
    """Return the catalog's strength for this pair; "light" if the pair is not in it."""
    pair = pair_for(llm or cloud.info().model, slm.name)
    return pair.strength if pair else FALLBACK_STRENGTH


def _open_cloud(
    cloud: str | CloudModel,
    llm: str | None,
    record: Recorder,
    context_length: int,
    threads: int | None,
    api_key: str | None,
    retries: int,
    sequences: int,
) -> CloudModel:
    if not isinstance(cloud, str):
        return cloud
    if cloud == IN_PROCESS:
        from costeer.cloud.in_process import InProcess
        from costeer.models.load import load_model

        name = llm or DEFAULT_PAIR.llm
        model = load_model(name, context=context_length, sequences=sequences, threads=threads)
        return InProcess(model, record=record, owned=True)
    if "://" not in cloud:
        raise UsageError(
            f"{cloud[:80]!r} is neither a URL nor 'in-process'.",
            "Give --cloud http://HOST:PORT, or --cloud in-process for a model on this machine.",
        )
    from costeer.cloud.client.completions import CompletionsClient

    return CompletionsClient(cloud, model=llm, api_key=api_key, record=record, retries=retries)


def _open_slm(
    slm: str | LanguageModel | None, context_length: int, threads: int | None, sequences: int
) -> LanguageModel:
    if isinstance(slm, LanguageModel):
        return slm
    from costeer.models.load import load_model

    name = slm or DEFAULT_PAIR.slm
    return load_model(name, context=context_length, sequences=sequences, threads=threads)
