"""The checks of ``sms-watch check``: what each looks at, and how it judges."""
