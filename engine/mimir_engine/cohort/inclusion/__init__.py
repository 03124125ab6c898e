"""Who is in: lists of ids, persons, recorded sex."""
