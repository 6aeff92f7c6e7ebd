from inner import app  # noqa: F401
