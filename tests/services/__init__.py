"""Real servers for the tests: one set for a whole run, shared by all of its processes."""
