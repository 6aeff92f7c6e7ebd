//! The Runtime API seen by a runtime: a plain client against every call.
