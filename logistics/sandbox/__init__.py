"""A courier to try against: a real HTTP process that plays couriers and pushes signed webhooks, with faults on demand."""
