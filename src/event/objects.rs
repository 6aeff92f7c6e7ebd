//! The objects in an event that more than one file reads.

use crate::event::fields::Fields;

/// The event itself, its `requestContext`, and the `identity` in that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Objects<'e> {
    pub(super) event: Fields<'e>,
    pub(super) context: Fields<'e>,
    /// `requestContext.identity`.
    pub(super) identity: Fields<'e>,
}

impl<'e> Objects<'e> {
    pub(super) fn of(event: Fields<'e>) -> Self {
        let context = event.object("requestContext");
        Self { event, context, identity: context.object("identity") }
    }
}
