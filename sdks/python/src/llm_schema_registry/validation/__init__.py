"""Validation in this process: a schema is read once, prepared once, and decides as the registry would, or leaves it to the registry."""
