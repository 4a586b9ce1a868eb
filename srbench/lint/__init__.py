"""The lint: tables of results checked against themselves."""
