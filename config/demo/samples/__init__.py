"""Sample material that the product ships: one invented case, captured in every way paper arrives."""

from config.demo.samples.making import Sample, make_samples
from config.demo.samples.story import Story, tell

__all__ = ["Sample", "Story", "make_samples", "tell"]
