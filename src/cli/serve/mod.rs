//! `wsgi-lambda serve`: the application on this machine, with imitated AWS front ends before it.
#![allow(dead_code, reason = "to come")]

mod journal;
