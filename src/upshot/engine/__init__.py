"""The services of the one way through: accept, match, run, act, record, and what keeps them going."""
