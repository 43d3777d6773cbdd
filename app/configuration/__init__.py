"""Configuration: what holds for an agent's next run, and who said each of its values."""
