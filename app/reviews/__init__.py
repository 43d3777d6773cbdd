"""Reviews: the diff as it was shown, and the decision bound to it."""
