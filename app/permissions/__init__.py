"""Calls that a person is asked for before they run, and what was answered."""
