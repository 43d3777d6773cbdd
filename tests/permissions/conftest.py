"""The environment in which the real Claude Code finds the scripted model."""

from pathlib import Path

import pytest

from tests.scripted_model import ScriptedModel
from tests.scripted_model.fixture import scripted_model

__all__ = ["scripted_model"]


@pytest.fixture
def claude_home(scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ScriptedModel:
    """A home of its own, and the model that its program is told to ask."""
    pytest.importorskip("claude_agent_sdk")
    (tmp_path / "home").mkdir()
    for name, value in {**scripted_model.env, "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    return scripted_model
