"""What is remembered between runs: lines of JSON in one object a day."""
