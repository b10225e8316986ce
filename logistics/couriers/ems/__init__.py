"""China Post EMS: the open platform for contract customers."""

from logistics.couriers.ems.adapter import Ems

__all__ = ["Ems"]
