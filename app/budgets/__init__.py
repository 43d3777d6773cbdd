"""What runs may use: turns, time, tokens and money; what they have used, and who was asked at a limit."""
