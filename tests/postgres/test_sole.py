"""Two servers on one database would end each other's runs, so the second is refused."""

import pytest

from app.postgres.errors import PostgresError
from app.postgres.sole import sole_server


async def test_a_second_server_is_refused_until_the_first_is_gone(database_url: str) -> None:
    async with sole_server(database_url):
        with pytest.raises(PostgresError, match="serves from this database already"):
            async with sole_server(database_url):
                pytest.fail("two servers at once")
    async with sole_server(database_url):
        pass
