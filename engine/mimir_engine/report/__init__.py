"""Results for people and programs: CSV, table, picture."""
