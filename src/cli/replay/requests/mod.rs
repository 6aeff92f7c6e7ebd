//! Requests of the user's own: `replay GET /path`.

mod arguments;
mod csrf;
mod jar;
mod request;
mod sent;
mod session;

pub(super) use arguments::{Arguments, HEADING, Item};
pub(super) use request::Asked;
pub(super) use sent::Sent;
pub(super) use session::Session;
