"""What runs on one's own machine, and is never deployed."""
