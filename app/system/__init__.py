"""The machine room: health, readiness, recovery after a start."""
