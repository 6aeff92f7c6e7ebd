//! Options that say through which front end a request comes, and how that is set up.

use std::str::FromStr;

use clap::Args;

use super::failure::Failure;
use crate::gateway::Settings;
use crate::request::FrontEnd;

/// The names of front ends, in the order in which `serve --front all` gives them ports.
pub(super) const NAMES: [(&str, FrontEnd); 8] = [
    ("function-url", FrontEnd::FunctionUrl),
    ("http-api", FrontEnd::HttpApiV2),
    ("http-api-v1", FrontEnd::HttpApiV1),
    ("rest", FrontEnd::Rest),
    ("alb", FrontEnd::Alb),
    ("alb-multi", FrontEnd::AlbMulti),
    ("lattice", FrontEnd::LatticeV2),
    ("lattice-v1", FrontEnd::LatticeV1),
];
/// Other words for them.
const ALIASES: [(&str, FrontEnd); 4] = [
    ("url", FrontEnd::FunctionUrl),
    ("http", FrontEnd::HttpApiV2),
    ("http-api-v2", FrontEnd::HttpApiV2),
    ("lattice-v2", FrontEnd::LatticeV2),
];

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Requests of your own")]
pub(super) struct FrontEndOptions {
    /// The front end that a request comes through: function-url, http-api, http-api-v1 (HTTP API, payload 1.0), rest, alb,
    /// alb-multi (ALB with multi-value headers), lattice or lattice-v1; several with commas; or all [default: function-url]
    #[arg(long = "front", value_name = "FRONT_END", value_delimiter = ',')]
    front_ends: Vec<Choice>,
    /// The stage of a REST or HTTP API [default: prod of a REST API, $default of an HTTP API]
    #[arg(long, value_name = "STAGE", value_parser = stage)]
    stage: Option<String>,
    /// The base path that a custom domain maps to a REST or HTTP API, such as /shop
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
    /// Stream responses: for a Function URL with RESPONSE_STREAM and a REST API with responseTransferMode STREAM
    #[arg(long)]
    stream: bool,
}

/// One word of `--front`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    One(FrontEnd),
    All,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = text.trim().to_ascii_lowercase();
        if word == "all" {
            return Ok(Self::All);
        }
        let found = NAMES.iter().chain(&ALIASES).find(|(name, _)| *name == word);
        found.map(|(_, front_end)| Self::One(*front_end)).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("write {}, or all", names.join(", "))
        })
    }
}

impl FrontEndOptions {
    /// Whether one of the options was given.
    pub(super) fn is_given(&self) -> bool {
        !self.front_ends.is_empty() || self.stage.is_some() || self.base_path.is_some() || self.stream
    }

    /// Whether responses are streamed.
    pub(super) fn streams(&self) -> bool {
        self.stream
    }

    /// Each front end that was asked for, once, with its settings.
    pub(super) fn settings(&self) -> Result<Vec<Settings>, Failure> {
        let mut chosen: Vec<FrontEnd> = Vec::new();
        let asked =
            if self.front_ends.is_empty() { &[Choice::One(FrontEnd::FunctionUrl)][..] } else { &self.front_ends };
        for choice in asked {
            let all = NAMES.iter().map(|(_, front_end)| *front_end);
            let more: Vec<FrontEnd> = match choice {
                Choice::One(front_end) => vec![*front_end],
                Choice::All => all.collect(),
            };
            for front_end in more {
                if !chosen.contains(&front_end) {
                    chosen.push(front_end);
                }
            }
        }
        self.check(&chosen)?;
        Ok(chosen.into_iter().map(|front_end| self.of(front_end)).collect())
    }

    fn check(&self, chosen: &[FrontEnd]) -> Result<(), Failure> {
        let wrong = |option: &str, which: &str, words: &str| {
            Err(Failure::Usage(format!("{option} is for {which}: write --front {words}, or leave {option} out")))
        };
        let is_api = |front_end: &FrontEnd| has_stages(*front_end);
        if self.stream && !chosen.iter().all(|front_end| can_stream(*front_end)) {
            return wrong("--stream", "front ends that stream, a Function URL and a REST API", "function-url,rest");
        }
        if self.stage.is_some() && !chosen.iter().any(is_api) {
            return wrong("--stage", "REST and HTTP APIs", "rest");
        }
        if self.base_path.is_some() && !chosen.iter().any(is_api) {
            return wrong("--base-path", "custom domains of REST and HTTP APIs", "rest");
        }
        Ok(())
    }

    fn of(&self, front_end: FrontEnd) -> Settings {
        let mut settings = Settings::new(front_end);
        if let Some(stage) = self.stage.as_deref().filter(|_| has_stages(front_end)) {
            stage.clone_into(&mut settings.stage);
        }
        let base_path = self.base_path.as_deref().filter(|_| has_stages(front_end)).map(|path| {
            let inside = path.trim_matches('/');
            if inside.is_empty() { String::new() } else { format!("/{inside}") }
        });
        Settings { base_path, streams: self.stream && can_stream(front_end), ..settings }
    }
}

fn has_stages(front_end: FrontEnd) -> bool {
    matches!(front_end, FrontEnd::Rest | FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2)
}

fn can_stream(front_end: FrontEnd) -> bool {
    matches!(front_end, FrontEnd::Rest | FrontEnd::FunctionUrl)
}

/// Reads the name of a stage.
pub(super) fn stage(text: &str) -> Result<String, String> {
    let is_of_stage = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    if text.is_empty() || text != "$default" && !text.chars().all(is_of_stage) {
        return Err(
            "a stage's name has letters, digits, - and _ alone: write it without slashes, such as --stage prod"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}
