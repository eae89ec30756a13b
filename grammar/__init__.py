"""Text to syntax tree: the grammar, the parser, spans and diagnostics."""
