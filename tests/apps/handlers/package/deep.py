from inner import app
