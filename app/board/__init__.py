"""The board: four columns of cards, live in every open browser."""
