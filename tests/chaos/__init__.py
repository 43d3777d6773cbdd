"""Work goes on, and at random moments something is killed: see `town.py` for where, `test_killing.py` for what."""
