"""Steps that run in processes of their own, so that each one's memory and time are its own."""
