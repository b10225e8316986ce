"""Tables that people bring and take away: limited readers for foreign files, and a writer that no text can turn against."""
