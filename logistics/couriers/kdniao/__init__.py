"""kdniao (快递鸟): follows waybills of any carrier and pushes full snapshots."""

from logistics.couriers.kdniao.adapter import Kdniao

__all__ = ["Kdniao"]
