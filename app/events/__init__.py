"""The one event log and its live readers. Board and session pages read it; nothing else publishes."""
