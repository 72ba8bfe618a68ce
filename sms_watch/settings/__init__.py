"""The settings: from names and texts to one checked value."""
