//! A REST API's `binaryMediaTypes`.

/// Whether a media type is one of an API's binary ones. `*/*` stands for all, `image/*` for all of a type.
pub(super) fn is_binary(media_type: &str, binary_media_types: &[String]) -> bool {
    binary_media_types.iter().any(|binary| match binary.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => media_type.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(kind)),
        None => binary.eq_ignore_ascii_case(media_type),
    })
}
