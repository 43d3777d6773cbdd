"""The catalog tells a schema in words that can be compared."""

from app.postgres import catalog
from tests.databases import ask


async def test_the_catalog_names_each_thing_that_a_schema_has(empty_database: str) -> None:
    for statement in (
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE TABLE owner (id text PRIMARY KEY)",
        "CREATE TABLE pet (id text PRIMARY KEY, mood mood NOT NULL DEFAULT 'good', age integer CHECK (age >= 0), "
        "owner text REFERENCES owner ON DELETE CASCADE, UNIQUE (owner, age))",
        "CREATE INDEX pet_by_age ON pet (age DESC) WHERE age > 1",
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER quiet BEFORE DELETE ON pet FOR EACH ROW EXECUTE FUNCTION nothing()",
    ):
        await ask(empty_database, statement)
    found = await catalog.read(empty_database)
    assert found["enum mood"] == "'good', 'bad'"
    assert found["column pet.mood"] == "mood not null default 'good'::mood"
    assert found["column pet.age"] == "integer"
    assert found["constraint pet.pet_owner_fkey"] == "FOREIGN KEY (owner) REFERENCES owner(id) ON DELETE CASCADE"
    assert found["constraint pet.pet_age_check"] == "CHECK ((age >= 0))"
    assert found["constraint pet.pet_owner_age_key"] == "UNIQUE (owner, age)"
    assert found["index pet.pet_by_age"] == "CREATE INDEX pet_by_age ON pet USING btree (age DESC) WHERE (age > 1)"
    assert found["trigger pet.quiet"].startswith("CREATE TRIGGER quiet BEFORE DELETE ON pet FOR EACH ROW")
    assert "BEGIN RETURN NULL; END" in found["function nothing()"]
    assert catalog.differences(found, found) == []
    assert catalog.differences(found, found | {"enum mood": "'good'"}) == [
        "different: enum mood is ('good'), expected ('good', 'bad')"
    ]
