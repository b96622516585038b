import pytest

from tests.support.gateway import TextModel, running_gateway


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    """One gateway for all tests that leave it as it was."""
    slm = TextModel(seed=2, context_length=500)  # so that answers without a limit end soon
    folder = tmp_path_factory.mktemp("gateway")
    with running_gateway(folder, slm=slm, aliases=["gpt-5"]) as app:
        yield app
