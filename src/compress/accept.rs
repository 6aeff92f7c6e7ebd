//! Accept-Encoding (RFC 9110 §12.5.3): which coding the client gets.

use crate::grammar::elements;

/// A content coding of this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// RFC 8878.
    Zstd,
    /// RFC 7932.
    #[cfg(feature = "brotli")]
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// All of this build. Of those that a client wants equally, the first is taken: it costs the least time.
    pub(super) const ALL: &[Self] = &[
        Self::Zstd,
        #[cfg(feature = "brotli")]
        Self::Brotli,
        Self::Gzip,
    ];

    /// Its name in Content-Encoding.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            #[cfg(feature = "brotli")]
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// What a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// The coding that it gets; `None` if it accepts none of this build, or wants an uncompressed body more.
    pub(super) coding: Option<Coding>,
    /// Whether it refuses an uncompressed body.
    pub(super) only_coded: bool,
}

impl Accepted {
    /// Reads the header; several lines of it are joined by commas. Without it, the client gets nothing that it did not ask for.
    pub(super) fn new(header: &[u8]) -> Self {
        let any = weight(header, "*");
        let mut best: Option<(Coding, u16)> = None;
        for &coding in Coding::ALL {
            let named = weight(header, coding.name());
            let weight = if coding == Coding::Gzip {
                named.or(weight(header, "x-gzip")).or(any) // what all who write `*` can read
            } else {
                named
            };
            let more = weight.filter(|&weight| weight > best.map_or(0, |(_, most)| most));
            best = more.map(|weight| (coding, weight)).or(best);
        }
        let identity = weight(header, "identity");
        let wanted = best.filter(|&(_, weight)| identity.is_none_or(|identity| identity <= weight));
        Self { coding: wanted.map(|(coding, _)| coding), only_coded: identity.or(any) == Some(0) }
    }
}

/// The weight of a coding in thousandths, if the header has it; the least if it has it twice.
fn weight(header: &[u8], name: &str) -> Option<u16> {
    let known = elements(header).filter_map(element);
    known.filter(|(coding, _)| coding.eq_ignore_ascii_case(name.as_bytes())).map(|(_, weight)| weight).min()
}

/// A coding and its weight. `None` if the weight is malformed: nothing says that the client can read it then.
fn element(text: &[u8]) -> Option<(&[u8], u16)> {
    let mut parts = text.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    let coding = parts.next()?;
    match (parts.next(), parts.next()) {
        (None, _) => Some((coding, 1000)),
        (Some([b'q' | b'Q', b'=', value @ ..]), None) => Some((coding, thousandths(value)?)),
        _ => None,
    }
}

/// `0`, `1`, and up to three decimals (RFC 9110 §12.4.2).
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, decimals) = match value {
        [whole @ (b'0' | b'1')] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', decimals @ ..] => (whole, decimals),
        _ => return None,
    };
    if decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = decimals.iter().chain(b"000").take(3);
    let weight = digits.fold(u16::from(whole - b'0'), |sum, digit| sum * 10 + u16::from(digit - b'0'));
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn coding(header: &str) -> Option<&'static str> {
        Accepted::new(header.as_bytes()).coding.map(Coding::name)
    }

    #[test]
    fn the_client_gets_what_it_wants_most() {
        for (header, expected) in [
            ("", None),
            ("gzip", Some("gzip")),
            ("GZip", Some("gzip")),
            ("x-gzip", Some("gzip")),
            ("deflate, gzip", Some("gzip")),
            ("gzip, deflate, zstd", Some("zstd")),
            ("zstd;q=0.5, gzip", Some("gzip")),
            ("zstd;q=0.501, gzip;q=0.5", Some("zstd")),
            ("gzip;q=0", None),
            ("gzip;q=0.000", None),
            ("gzip;q=0.001", Some("gzip")),
            ("gzip ; Q=1.000", Some("gzip")),
            ("gzip;q=1.,", Some("gzip")),
            (" , ,gzip,", Some("gzip")),
            ("*", Some("gzip")),
            ("*;q=0.1", Some("gzip")),
            ("gzip;q=0, *", None),
            ("zstd, *;q=0", Some("zstd")),
            ("*;q=0", None),
            ("identity", None),
            ("identity, gzip", Some("gzip")),
            ("identity;q=0.5, gzip;q=0.4", None),
            ("identity;q=0, gzip;q=0.4", Some("gzip")),
            ("gzip, gzip;q=0", None),
            ("gzipped", None),
            ("not-gzip", None),
            // Malformed: not taken for a wish.
            ("gzip;q=", None),
            ("gzip;q=2", None),
            ("gzip;q=1.001", None),
            ("gzip;q=-1", None),
            ("gzip;q=.5", None),
            ("gzip;q=0.5000", None),
            ("gzip;q=high", None),
            ("gzip;level=9", None),
            ("gzip;q=1;q=0", None),
            ("gzip zstd", None),
            ("\"gzip\"", None),
        ] {
            assert_eq!(coding(header), expected, "{header:?}");
        }
    }

    #[test]
    fn brotli_is_there_if_the_build_has_it() {
        let expected = if cfg!(feature = "brotli") { "br" } else { "gzip" };
        assert_eq!(coding("br, gzip"), Some(expected));
        assert_eq!(coding("br, gzip, zstd"), Some("zstd"));
    }

    #[test]
    fn an_uncompressed_body_can_be_refused() {
        for (header, expected) in
            [("identity;q=0", true), ("*;q=0", true), ("*;q=0, identity;q=0.1", false), ("gzip", false), ("", false)]
        {
            assert_eq!(Accepted::new(header.as_bytes()).only_coded, expected, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read(header in prop::collection::vec(any::<u8>(), 0..60)) {
            Accepted::new(&header);
        }

        #[test]
        fn a_coding_that_is_not_named_is_not_taken(header in "[a-z ;=,.q01]{0,40}") {
            if let Some(coding) = coding(&header) {
                prop_assert!(header.contains(coding));
            }
        }

        #[test]
        fn the_order_does_not_matter(mut wishes in prop::collection::vec("(gzip|zstd|br|identity|deflate)(;q=[01]\\.?[0-9]{0,3})?", 1..6)) {
            let there = Accepted::new(wishes.join(",").as_bytes());
            wishes.reverse();
            prop_assert_eq!(Accepted::new(wishes.join(" , ").as_bytes()), there);
        }
    }
}
