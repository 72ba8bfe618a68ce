"""The only modules that reach the outside: the SDK, the network, the disk."""
