"""What is wrong with this repository, finding by finding, each with the command that repairs it.

At its top a module imports the standard library and what needs no more itself, so that any Python from 3.8 on reads it:
what a check requires has to be known where the environment is broken. The rest is imported when the check runs.
"""
