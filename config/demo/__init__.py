"""The demonstration: sample papers and the journey of one application."""
