"""Sessions: the durable record of what was said and done."""
