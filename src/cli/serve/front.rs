//! The front ends by the names of `--front`, and where each listens.

use std::net::SocketAddr;
use std::sync::Arc;

pub(super) use crate::cli::front_ends::NAMES;
use crate::gateway::Settings;
use crate::request::FrontEnd;

/// The name of a front end.
pub(super) fn name(front_end: FrontEnd) -> &'static str {
    NAMES.iter().find(|(_, known)| *known == front_end).map_or("", |(name, _)| name)
}

/// A front end that takes requests.
#[derive(Clone, Debug)]
pub(super) struct Front {
    pub(super) settings: Arc<Settings>,
    pub(super) address: SocketAddr,
}

impl Front {
    /// Its name for `--front`.
    pub(super) fn name(&self) -> &'static str {
        name(self.settings.front_end)
    }

    /// Where a browser finds the application: a base path or a stage comes first.
    pub(super) fn url(&self) -> String {
        format!("http://{}{}/", self.address, prefix(&self.settings))
    }
}

/// What stands before the application's own path in a front end's URLs. A custom domain has no stage in them.
fn prefix(settings: &Settings) -> String {
    let has_custom_domain = settings.domain.as_ref().is_some_and(|name| !name.contains(".execute-api."));
    match (settings.front_end, &settings.base_path) {
        (FrontEnd::Rest | FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2, Some(base)) => {
            base.trim_end_matches('/').to_owned()
        }
        _ if has_custom_domain => String::new(),
        (FrontEnd::Rest, None) => format!("/{}", settings.stage),
        (FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2, None) if settings.stage != "$default" => {
            format!("/{}", settings.stage)
        }
        _ => String::new(),
    }
}

/// The target of a request to one front end, for another one, so that it leads to the same page of the application.
pub(super) fn retarget(target: &str, from: &Settings, to: &Settings) -> String {
    let own = target.strip_prefix(&prefix(from)).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    format!("{}{}", prefix(to), own.unwrap_or(target))
}
