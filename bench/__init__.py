"""Us and what a user would pick instead, on the same work, on this machine, in one run (docs/benchmarks.md)."""
