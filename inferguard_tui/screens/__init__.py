"""Screens: what is looked at, and how."""
