"""kuaidi100 (快递100): follows waybills of any carrier and pushes full snapshots."""

from logistics.couriers.kuaidi100.adapter import Kuaidi100

__all__ = ["Kuaidi100"]
