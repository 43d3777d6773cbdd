"""Who acts: the person behind a request."""
