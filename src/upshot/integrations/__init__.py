"""Ties to what hosts use: their metadata, their web framework. Each file is imported by the hosts that want it."""
