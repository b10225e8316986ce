"""What is printed on paper and read off it again: slips, code tokens, symbols, fonts."""
