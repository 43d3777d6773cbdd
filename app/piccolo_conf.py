"""Where Piccolo looks for the engine and the tables; `app/__init__.py` names this module in PICCOLO_CONF."""

from piccolo.conf.apps import AppRegistry

from app.postgres.pool import engine

DB = engine()
APP_REGISTRY = AppRegistry(apps=["app.piccolo_app"])
