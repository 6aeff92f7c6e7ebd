//! The parts of a request that each front end writes in its own way.

use std::borrow::Cow;

use crate::event::headers::Headers;
use crate::event::path::Split;

/// What the file of a front end reads from an event.
pub(super) struct Parts<'e> {
    pub(super) method: Option<Cow<'e, str>>,
    pub(super) protocol: Option<Cow<'e, str>>,
    pub(super) path: Split,
    pub(super) query: Cow<'e, [u8]>,
    pub(super) headers: Headers<'e>,
    /// The client's address as the front end saw it, if the event has a member for it.
    pub(super) peer: Option<Cow<'e, str>>,
}
