"""The neutral courier interface: our own JSON over HTTPS, pushes signed after Standard Webhooks."""

from logistics.couriers.neutral.adapter import NeutralCourier

__all__ = ["NeutralCourier"]
