"""A seeded play of clerks, couriers, offices and misfortunes over the real services, with its invariants.

`world` holds what is not in our database: the clock, the dice, the courier's own books and where each bag really lies.
`acts` says who may want to do what now, `crashes` kills the process at a commit, `wire` loses, repeats, delays and
forges messages, `invariants` reads the database after every step, `run` rolls the dice.
"""
