"""The checks of ``python -m local check``: what each looks at, and how it judges."""
