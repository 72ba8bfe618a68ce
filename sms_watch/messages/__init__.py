"""What people read: one message of all notices, in plain words."""
