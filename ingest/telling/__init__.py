"""Telling platforms about cases: signed webhooks that leave the house."""
