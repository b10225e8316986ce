"""Reads the captured pages: lines with their places, and the numbers and names among them."""
