"""Couriers behind one interface; nothing in here knows Django."""
