"""git as a tool: argument vectors, a scrubbed environment, output parsed into structs."""
