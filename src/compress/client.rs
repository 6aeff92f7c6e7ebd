//! What becomes of a response for one client.

use super::accept::{Accepted, Coding};
use super::worth::{LEAST, forbids_changes, is_compressible, shrinks};
use crate::response::Head;

/// The client of one request, and how its response is sent.
#[derive(Debug)]
pub struct Client {
    accepted: Accepted,
    pub(super) if_none_match: Vec<u8>,
    /// False after HEAD.
    pub(super) takes_body: bool,
    /// Whether each chunk is sent at once.
    pub(super) streams: bool,
}

/// What is done with a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It stays as it is.
    Leave,
    /// It is not compressed, but would be for another client, or if it were larger.
    Name,
    /// It is a 304 for something that may have been compressed.
    Unmodified,
    /// It is compressed if its body is large enough, which is not known yet.
    Wait(Coding),
    Encode(Coding),
}

impl Client {
    /// The client with these headers, of which each may be missing.
    pub fn new(accept_encoding: Option<&[u8]>, if_none_match: Option<&[u8]>, takes_body: bool, streams: bool) -> Self {
        let accepted = Accepted::new(accept_encoding.unwrap_or_default());
        Self { accepted, if_none_match: if_none_match.unwrap_or_default().to_vec(), takes_body, streams }
    }

    /// Whether a large enough response to it is compressed.
    pub(super) fn accepts(&self) -> bool {
        self.accepted.coding.is_some()
    }

    /// Decides by the head, and by the size of the body where it is known.
    pub(super) fn decide(&self, head: &Head, whole_body: Option<usize>) -> Decision {
        if head.status() == 304 {
            return if may_stand_for_compressed(head) { Decision::Unmodified } else { Decision::Leave };
        }
        if !is_compressible(head) {
            return Decision::Leave;
        }
        let Some(coding) = self.accepted.coding else { return Decision::Name };
        match head.content_length().or(whole_body.map(|length| length as u64)) {
            Some(0) => Decision::Name,
            Some(length) if length < LEAST && !self.accepted.only_coded => Decision::Name,
            None if self.accepted.only_coded || (self.streams && self.takes_body) => Decision::Encode(coding),
            None => Decision::Wait(coding),
            Some(_) => Decision::Encode(coding),
        }
    }
}

/// Most 304s have no Content-Type. Vary is added to them too: it does no harm.
fn may_stand_for_compressed(head: &Head) -> bool {
    !forbids_changes(head)
        && head.header("content-encoding").is_none()
        && head.header("content-type").is_none_or(shrinks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> Head {
        let mut head = Head::new("200 OK").unwrap();
        for (name, value) in [("Content-Type", "text/html")].iter().chain(headers) {
            head.add(name, value).unwrap();
        }
        head
    }

    fn decide(accept: &str, streams: bool, headers: &[(&str, &str)], whole_body: Option<usize>) -> Decision {
        Client::new(Some(accept.as_bytes()), None, true, streams).decide(&head(headers), whole_body)
    }

    #[test]
    fn the_size_decides_where_it_is_known() {
        const GZIP: Coding = Coding::Gzip;
        for streams in [false, true] {
            assert_eq!(decide("gzip", streams, &[], Some(1023)), Decision::Name);
            assert_eq!(decide("gzip", streams, &[], Some(1024)), Decision::Encode(GZIP));
            assert_eq!(decide("gzip", streams, &[("Content-Length", "1023")], None), Decision::Name);
            assert_eq!(decide("gzip", streams, &[("Content-Length", "1024")], None), Decision::Encode(GZIP));
            assert_eq!(decide("gzip, identity;q=0", streams, &[], Some(1)), Decision::Encode(GZIP));
            assert_eq!(decide("gzip, identity;q=0", streams, &[], Some(0)), Decision::Name);
            assert_eq!(decide("", streams, &[], Some(5000)), Decision::Name);
            assert_eq!(decide("gzip", streams, &[("Content-Type", "image/png")], Some(5000)), Decision::Leave);
        }
        assert_eq!(decide("gzip", true, &[], None), Decision::Encode(GZIP));
        assert_eq!(decide("gzip", false, &[], None), Decision::Wait(GZIP));
        for streams in [false, true] {
            let head_request = Client::new(Some(b"gzip"), None, false, streams);
            assert_eq!(head_request.decide(&head(&[]), None), Decision::Wait(GZIP), "as small as that of GET may be");
        }
    }
}
