"""Copies of a whole database: taken while engines run, checked, and put back somewhere else."""
