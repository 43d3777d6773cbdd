"""What a database is, as PostgreSQL itself tells it: one line of text for each thing in it."""

from collections.abc import Mapping

from app.postgres.connection import connect

# Piccolo's own record of migrations is not ours to expect.
_QUERY = """
WITH ours AS (
    SELECT oid, relname FROM pg_class
     WHERE relnamespace = $1::text::regnamespace AND relkind IN ('r', 'p') AND relname <> 'migration'
)
SELECT 'table ' || relname, 'table' FROM ours
UNION ALL
SELECT format('column %s.%s', relname, attname),
       format_type(atttypid, atttypmod)
       || CASE WHEN attnotnull THEN ' not null' ELSE '' END
       || CASE attidentity WHEN '' THEN '' ELSE ' identity' END
       || coalesce(CASE attgenerated WHEN '' THEN ' default ' ELSE ' generated ' END || pg_get_expr(adbin, adrelid), '')
  FROM ours JOIN pg_attribute ON attrelid = ours.oid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT format('constraint %s.%s', relname, conname), pg_get_constraintdef(pg_constraint.oid)
  FROM ours JOIN pg_constraint ON conrelid = ours.oid WHERE contype <> 'n'
UNION ALL
SELECT format('index %s.%s', ours.relname, pg_class.relname),
       replace(pg_get_indexdef(indexrelid), ' ON ' || $1::text || '.', ' ON ')
  FROM ours JOIN pg_index ON indrelid = ours.oid JOIN pg_class ON pg_class.oid = indexrelid
UNION ALL
SELECT format('trigger %s.%s', relname, tgname),
       replace(pg_get_triggerdef(pg_trigger.oid), ' ON ' || $1::text || '.', ' ON ')
  FROM ours JOIN pg_trigger ON tgrelid = ours.oid WHERE NOT tgisinternal
UNION ALL
SELECT 'enum ' || typname, string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
  FROM pg_type JOIN pg_enum ON enumtypid = pg_type.oid WHERE typnamespace = $1::text::regnamespace GROUP BY typname
UNION ALL
SELECT format('function %s(%s)', proname, pg_get_function_identity_arguments(oid)), pg_get_functiondef(oid)
  FROM pg_proc WHERE pronamespace = $1::text::regnamespace AND prokind IN ('f', 'p')
   AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
UNION ALL
SELECT 'view ' || viewname, definition FROM pg_views WHERE schemaname = $1::text
ORDER BY 1
"""


async def read(url: str) -> dict[str, str]:
    """Everything in the database's first schema: `{"column tasks.title": "text not null", …}`, in order of name.

    Tables, columns (type, nullability, default), primary, foreign, unique and check constraints with their actions,
    indexes, triggers, enums with their labels, functions and views.
    """
    connection = await connect(url)
    try:
        schema = await connection.fetchval("SELECT current_schema()")
        return {name: meaning.strip() for name, meaning in await connection.fetch(_QUERY, schema, timeout=30)}
    finally:
        await connection.close(timeout=5)


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """One line for each thing that is missing, not expected, or different."""
    lines = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            lines.append(f"missing: {name} ({expected[name]})")
        elif name not in expected:
            lines.append(f"not expected: {name} ({found[name]})")
        elif expected[name] != found[name]:
            lines.append(f"different: {name} is ({found[name]}), expected ({expected[name]})")
    return lines
