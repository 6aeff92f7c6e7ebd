"""Tests of things that no HTTP message, or not this front end's, can carry: (suites, kinds, test, reason)."""

EXCLUSIONS = []
