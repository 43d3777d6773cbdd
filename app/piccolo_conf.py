"""Piccolo's entry point: the one engine, pointed at its server by `app.postgres.pool` before first use."""

from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

DB = PostgresEngine(config={"dsn": "postgresql://unset.invalid/unset"}, extensions=())

APP_REGISTRY = AppRegistry(apps=["app.piccolo_app"])
