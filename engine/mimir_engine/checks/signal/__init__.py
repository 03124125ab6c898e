"""Check the signal of stations and volumes."""
