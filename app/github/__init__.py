"""GitHub App installations and the repository configurations read through them."""
