"""The reference data set: regions, centres, offices, windows, items and cooperation drawn from the public notices."""
