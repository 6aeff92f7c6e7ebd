//! The client's address. Only what a trusted party wrote counts: the front end, and as many of the user's own proxies
//! before it as WSGI_LAMBDA_TRUSTED_HOPS says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::request::Remote;

/// Finds the client's address; `None` if nothing trustworthy names it.
///
/// `peer` is the address that the front end itself saw, if the event has it (API Gateway, Function URL). ALB and
/// Lattice append it to X-Forwarded-For instead. What stands further left came from the client and may be false.
pub(super) fn resolve(peer: Option<&str>, forwarded_for: Option<&[u8]>, trusted_hops: usize) -> Option<Remote> {
    let forwarded_for = String::from_utf8_lossy(forwarded_for.unwrap_or_default());
    let chain: Vec<&str> = forwarded_for.split(',').map(str::trim).filter(|hop| !hop.is_empty()).collect();
    if let Some(peer) = peer
        && chain.last() != Some(&peer)
    {
        return parse(peer); // the front end has not appended to the header: anybody may have written it
    }
    // A chain that is too short did not come through the proxies: only its last element can be trusted.
    let at = chain.len().checked_sub(trusted_hops.saturating_add(1)).or(chain.len().checked_sub(1))?;
    parse(chain[at])
}

/// Reads an address, with the port that an ALB adds if `routing.http.xff_client_port.enabled` is on.
fn parse(text: &str) -> Option<Remote> {
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Some(Remote { address: address.to_string(), port: None });
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(Remote { address: socket.ip().to_string(), port: Some(socket.port().to_string()) });
    }
    // The console's test call has this instead of an address. Only the function's owner can make it.
    (text == "test-invoke-source-ip").then(|| Remote { address: Ipv4Addr::LOCALHOST.to_string(), port: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_counted_from_the_right() {
        let address = |peer, chain: &str, hops| resolve(peer, Some(chain.as_bytes()), hops).map(|it| it.address);
        let is = |text: &str| Some(text.to_owned());
        // ALB: the client wrote the first, the balancer the last.
        assert_eq!(address(None, "6.6.6.6, 203.0.113.7", 0), is("203.0.113.7"));
        // CloudFront before the balancer.
        assert_eq!(address(None, "6.6.6.6, 203.0.113.7, 198.51.100.9", 1), is("203.0.113.7"));
        // Past CloudFront: nothing but the peer is certain.
        assert_eq!(address(None, "203.0.113.7", 1), is("203.0.113.7"));
        assert_eq!(address(None, "6.6.6.6, 203.0.113.7", 2), is("203.0.113.7"));
        // API Gateway: the peer is in the event, whether or not the header repeats it.
        assert_eq!(address(Some("203.0.113.7"), "6.6.6.6", 0), is("203.0.113.7"));
        // An edge-optimised API: the edge is appended, and is not the peer.
        assert_eq!(address(Some("203.0.113.7"), "203.0.113.7, 198.51.100.9", 1), is("203.0.113.7"));
        assert_eq!(address(Some("198.51.100.9"), "203.0.113.7, 198.51.100.9", 1), is("203.0.113.7"));
        assert_eq!(address(None, "", 0), None);
        assert_eq!(address(None, "unknown", 0), None);
    }

    #[test]
    fn ports_and_brackets_are_taken_off() {
        let remote = |text| resolve(Some(text), None, 0).unwrap();
        assert_eq!(remote("203.0.113.7:4711").port.as_deref(), Some("4711"));
        assert_eq!(remote("[2001:db8::1]:443").address, "2001:db8::1");
        assert_eq!(remote("2001:db8::1").address, "2001:db8::1");
        assert_eq!(remote("test-invoke-source-ip").address, "127.0.0.1");
    }
}
