"""Runs the schedules that skrull compiles: packed, context-parallel training under DeepSpeed.

Importing the package imports nothing else, so that ``skrull_runtime.scheduling`` stays free of dependencies.
"""
