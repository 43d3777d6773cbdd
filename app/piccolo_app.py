"""The tables that migrations look after."""

from piccolo.conf.apps import AppConfig, table_finder

from app.resources import resource_path

#: The modules with tables, in the order of their foreign keys.
TABLE_MODULES: list[str] = []

APP_CONFIG = AppConfig(
    app_name="agentpane",
    migrations_folder_path=str(resource_path("piccolo_migrations")),
    table_classes=table_finder(TABLE_MODULES, exclude_imported=True),
    migration_dependencies=[],
)
