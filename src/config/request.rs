//! The settings that decide how an event is read.

use super::settings::USER_CLAIM;

/// The settings that `event` needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestConfig {
    /// See [`BASE_PATH`](super::BASE_PATH): such as `/orders`, without a slash at its end. Empty if it is set to the root,
    /// which means that no base path is derived from the event; `None` if it is not set.
    pub base_path: Option<Vec<u8>>,
    /// See [`TRUSTED_HOPS`](super::TRUSTED_HOPS).
    pub trusted_hops: usize,
    /// See [`USER_CLAIM`].
    pub user_claim: String,
    /// See [`TRUSTED_HOST_HEADER`](super::TRUSTED_HOST_HEADER): in lower case.
    pub trusted_host_header: Option<String>,
    /// See [`TRUSTED_PREFIX_HEADER`](super::TRUSTED_PREFIX_HEADER): in lower case.
    pub trusted_prefix_header: Option<String>,
}

impl Default for RequestConfig {
    fn default() -> Self {
        Self {
            base_path: None,
            trusted_hops: 0,
            user_claim: USER_CLAIM.default.to_owned(),
            trusted_host_header: None,
            trusted_prefix_header: None,
        }
    }
}
