"""事项清单: taken in from tables, given out as tables, versioned by day."""
