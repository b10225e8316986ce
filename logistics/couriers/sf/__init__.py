"""SF Express (顺丰) through its 丰桥 gateway."""

from logistics.couriers.sf.adapter import Sf

__all__ = ["Sf"]
