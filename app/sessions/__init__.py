"""Sessions: the durable, addressable record of a task's runs; who watches, what was said."""
