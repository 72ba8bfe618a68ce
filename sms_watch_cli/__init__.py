"""What runs on one's own machine, and is never deployed."""

INTERRUPTED = 130  # what a shell gives for a program that Ctrl-C ended
