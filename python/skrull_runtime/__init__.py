"""Runs the schedules that skrull compiles."""
