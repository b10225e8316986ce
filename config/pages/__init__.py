"""The pages people work on: each shows one composed read or makes one service call."""
