"""How often the 68 % interval of a reported value holds the planted truth, for every method on light.

.venv/bin/python -m benchmarks.coverage [--runs 1000] [part of a method's or case's name …]
"""
