"""Runs, values, methods, properties and Explore over REST."""
