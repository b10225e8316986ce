"""What people do with a case, one verb each."""
