"""Parcels, labels, couriers, custody and postage of the originals on the road."""
