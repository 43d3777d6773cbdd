"""Tasks: cards with a column and a gapless position, and the moves they may make."""
