"""Postage: who pays, what it should cost, what the courier billed, and what a centre settles each month."""
