"""AgentPane: a board on which people put coding agents to work on git repositories."""

import os

__version__ = "0.1.0"

# Piccolo's tables look their engine up by this name. It is set here, before any table can be imported, and not left
# to the environment: a person who uses Piccolo elsewhere may have it set to a project of theirs.
os.environ["PICCOLO_CONF"] = "app.piccolo_conf"
