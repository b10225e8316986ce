"""The private servers that an installation without outside services runs for itself."""
