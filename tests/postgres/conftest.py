"""A server of its own for the tests that hurt one."""

from pathlib import Path

import pytest

from tests.databases import ask, served


@pytest.fixture(scope="session")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped cluster with the table `kept`, shared by tests that each leave it stopped."""
    folder = tmp_path_factory.mktemp("own server") / "postgres"
    async with served(folder) as server:
        await ask(server.url, "CREATE TABLE kept (number integer)")
    return folder
