"""Real agent programs for tests: installed once from npm outside of the checkout, and how each is put to work."""
