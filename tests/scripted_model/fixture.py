"""`scripted_model`: a fresh server for each test. Take it in with `from tests.scripted_model.fixture import *`."""

from collections.abc import Iterator

import pytest

from tests.scripted_model import ScriptedModel

__all__ = ["scripted_model"]


@pytest.fixture
def scripted_model() -> Iterator[ScriptedModel]:
    """A model that listens; `.url`, `.env` for the agent, `.asked` for what it was asked."""
    with ScriptedModel() as model:
        yield model
