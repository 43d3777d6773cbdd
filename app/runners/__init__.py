"""Programs behind agents, each behind the one interface of `base.py`."""
