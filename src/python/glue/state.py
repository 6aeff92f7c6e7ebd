"""What one invocation leaves for the other modules to read. The runtime writes `serving` itself."""

request_id = ""
tenant_id = None

# What `compile_glue.py` has made of the standard library's patterns.
patterns = None

# Whether a request is with the application: an interrupt that comes later is dropped.
serving = False

# The descriptor into which the C handler of a signal writes, once it is there.
wakeup = None
