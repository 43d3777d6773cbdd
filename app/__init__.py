"""AgentPane: a board on which people put coding agents to work on git repositories."""

__version__ = "0.1.0"
