"""PostgreSQL as a tool: the embedded server's supervisor, migrations under a lock, the pool, enum columns."""
