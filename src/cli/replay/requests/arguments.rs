//! The command line in its order: event paths, requests, and which `-H` and `-d` belong to which request.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::cli::failure::Failure;

/// The arguments whose order matters, in their order. clap gives the values of each option apart, with their places.
#[derive(Debug)]
pub(in crate::cli::replay) struct Arguments(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Positional(OsString),
    Header(String),
    Data(String),
}

const PATHS: &str = "paths";
const EVENT: &str = "event";
const HEADER: &str = "header";
const DATA: &str = "data";

/// The part of the help that is about requests.
pub(in crate::cli::replay) const HEADING: &str = "Requests of your own";

fn option(name: &'static str, short: char, value: &'static str) -> Arg {
    let option = Arg::new(name).short(short).long(name).value_name(value).action(ArgAction::Append);
    option.value_parser(ValueParser::string()).allow_hyphen_values(true).help_heading(HEADING)
}

impl Args for Arguments {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new(PATHS)
                    .value_name("PATH | METHOD TARGET")
                    .num_args(0..)
                    .action(ArgAction::Append)
                    .value_parser(ValueParser::os_string())
                    .help(
                        "Event files, folders (all *.json in them), or - for standard input: one JSON document after the \
                         other, each answered as soon as it has come. Or requests of your own: GET /path, or \
                         GET https://host/path; several are sent in their order, with the cookies of the responses",
                    ),
            )
            .arg(
                Arg::new(EVENT)
                    .long("event")
                    .value_name("PATH")
                    .action(ArgAction::Append)
                    .value_parser(ValueParser::os_string())
                    .hide(true)
                    .help("The same as PATH, as other tools call it"),
            )
            .arg(option(HEADER, 'H', "NAME: VALUE"))
            .mut_arg(HEADER, |arg| {
                arg.help(
                    "A header field of the request that it stands after; before the first request, of every request. \
                     `Name:` leaves one out that would be sent, `Name;` sends it empty. May be repeated",
                )
            })
            .arg(option(DATA, 'd', "TEXT | @FILE"))
            .mut_arg(DATA, |arg| {
                arg.help(
                    "The body of the request that it stands after, unchanged; @- is standard input. Without a \
                     Content-Type it is sent as a form. Repeated, the parts are joined with &. A target without a method is \
                     then sent with POST",
                )
            })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Arguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut pieces = Vec::new();
        for name in [PATHS, EVENT] {
            let values = matches.get_many::<OsString>(name).into_iter().flatten().cloned().map(Piece::Positional);
            pieces.extend(matches.indices_of(name).into_iter().flatten().zip(values));
        }
        let option = |name: &str, make: fn(String) -> Piece| {
            let values = matches.get_many::<String>(name).into_iter().flatten().cloned().map(make);
            matches.indices_of(name).into_iter().flatten().zip(values).collect::<Vec<_>>()
        };
        pieces.extend(option(HEADER, Piece::Header));
        pieces.extend(option(DATA, Piece::Data));
        pieces.sort_by_key(|(index, _)| *index);
        Ok(Self(pieces.into_iter().map(|(_, piece)| piece).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What is sent at a place of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::replay) enum Item {
    /// Events, from here.
    Events(PathBuf),
    /// A request.
    Request(Draft),
}

/// A request as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli::replay) struct Draft {
    /// `None` if it was left out.
    pub(super) method: Option<String>,
    /// `/path?query` or `https://host/path?query`.
    pub(super) target: String,
    /// `Name: value`, `Name:` or `Name;`.
    pub(super) headers: Vec<String>,
    /// Texts and `@FILE`s.
    pub(super) data: Vec<String>,
}

impl Arguments {
    /// What is sent, in order.
    pub(in crate::cli::replay) fn items(&self) -> Result<Vec<Item>, Failure> {
        let (mut items, mut first) = (Vec::new(), Draft::default());
        let mut pieces = self.0.iter().peekable();
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Positional(text) => {
                    let next = pieces.peek().and_then(|next| match next {
                        Piece::Positional(next) => next.to_str(),
                        Piece::Header(_) | Piece::Data(_) => None,
                    });
                    let is_request = matches!(pieces.peek(), Some(Piece::Header(_) | Piece::Data(_)))
                        || !first.headers.is_empty()
                        || !first.data.is_empty();
                    let (item, took_next) = item(text, next, is_request)?;
                    if took_next {
                        pieces.next();
                    }
                    items.push(item);
                }
                Piece::Header(text) => before(&mut items, &mut first, "-H", text)?.headers.push(text.clone()),
                Piece::Data(text) => before(&mut items, &mut first, "-d", text)?.data.push(text.clone()),
            }
        }
        spread(&mut items, &first)?;
        Ok(items)
    }
}

/// The request that an option stands after; `first` collects what stands before everything.
fn before<'a>(items: &'a mut [Item], first: &'a mut Draft, option: &str, text: &str) -> Result<&'a mut Draft, Failure> {
    match items.last_mut() {
        None => Ok(first),
        Some(Item::Request(draft)) => Ok(draft),
        Some(Item::Events(path)) => Err(Failure::Usage(format!(
            "{option} '{}' stands after {}, which is an event: write it after a request, such as POST /path {option} …",
            short(text),
            path.display()
        ))),
    }
}

/// Gives each request the headers that stand before all of them, and the only request the data.
fn spread(items: &mut [Item], first: &Draft) -> Result<(), Failure> {
    let mut requests: Vec<&mut Draft> = items
        .iter_mut()
        .filter_map(|item| match item {
            Item::Request(draft) => Some(draft),
            Item::Events(_) => None,
        })
        .collect();
    match (&mut requests[..], &first.data[..]) {
        ([], []) if first.headers.is_empty() => {}
        ([], _) => {
            return Err(Failure::Usage(
                "-H and -d are for requests: write one after them, such as GET /path; an event has its own headers and body"
                    .to_owned(),
            ));
        }
        (_, []) => {}
        ([only], data) => only.data.splice(..0, data.iter().cloned()).for_each(drop),
        (_, [data, ..]) => {
            return Err(Failure::Usage(format!(
                "-d '{}' stands before several requests: write it after the one that it belongs to",
                short(data)
            )));
        }
    }
    for request in requests {
        request.headers.splice(..0, first.headers.iter().cloned());
    }
    Ok(())
}

/// The item that begins with a positional argument, and whether the next one belongs to it. `has_options` says that `-H` or
/// `-d` belong to it.
fn item(text: &OsStr, next: Option<&str>, has_options: bool) -> Result<(Item, bool), Failure> {
    let path = Path::new(text);
    let events = || (Item::Events(path.to_owned()), false);
    let Some(word) = text.to_str().filter(|word| !word.is_empty()) else { return Ok(events()) };
    let request = |method: Option<&str>, target: &str| {
        Item::Request(Draft { method: method.map(str::to_owned), target: target.to_owned(), ..Draft::default() })
    };
    if is_url(word) {
        return Ok((request(None, word), false));
    }
    if path.exists() {
        return Ok(events());
    }
    if word.starts_with('/') {
        // Headers and data say that it is no file.
        return if has_options {
            Ok((request(None, word), false))
        } else {
            Err(Failure::Usage(format!("{word} is no file; for a request write the method before it: GET {word}")))
        };
    }
    let target = next.filter(|next| next.starts_with('/') || is_url(next));
    match target {
        Some(target) if is_method(word) => Ok((request(Some(word), target), true)),
        Some(target) if is_method(&word.to_ascii_uppercase()) => Err(Failure::Usage(format!(
            "{word} is no file; methods are written in capitals: {} {target}",
            word.to_ascii_uppercase()
        ))),
        None if is_method(word) => Err(match next {
            Some(next) if !Path::new(next).exists() => Failure::Usage(format!(
                "{word} {next}: the path of a request begins with a slash: write {word} /{next}"
            )),
            _ => Failure::Usage(format!("{word} needs a path after it, such as {word} /, or a URL")),
        }),
        _ => Ok(events()),
    }
}

fn is_url(text: &str) -> bool {
    let starts = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    starts("http://") || starts("https://")
}

/// Capitals, with `-` between them as in `VERSION-CONTROL`. HTTP allows more in a method; nothing uses it.
fn is_method(word: &str) -> bool {
    word.starts_with(|char: char| char.is_ascii_uppercase())
        && word.chars().all(|char| char.is_ascii_uppercase() || char == '-')
}

/// The start of a text, which may be a whole body or a secret.
fn short(text: &str) -> String {
    let mut start: String = text.chars().take_while(|char| !matches!(char, ':' | '=')).take(20).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(arguments: &[&str]) -> Result<Vec<Item>, String> {
        let command = Arguments::augment_args(Command::new("replay").no_binary_name(true));
        let matches = command.try_get_matches_from(arguments).map_err(|error| error.to_string())?;
        let parsed = Arguments::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        parsed.items().map_err(|failure| failure.to_string())
    }

    fn request(method: Option<&str>, target: &str, headers: &[&str], data: &[&str]) -> Item {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Item::Request(Draft {
            method: method.map(str::to_owned),
            target: target.to_owned(),
            headers: owned(headers),
            data: owned(data),
        })
    }

    #[test]
    fn options_belong_to_the_request_that_they_stand_after() {
        let found = items(&["-H", "A: 1", "GET", "/login", "-H", "B: 2", "POST", "/login", "-d", "x=1", "-d", "y=2"]);
        let expected = [
            request(Some("GET"), "/login", &["A: 1", "B: 2"], &[]),
            request(Some("POST"), "/login", &["A: 1"], &["x=1", "y=2"]),
        ];
        assert_eq!(found.unwrap(), expected);
        let found = items(&["Cargo.toml", "PROPFIND", "https://example.com/dav", "-"]);
        let expected = [
            Item::Events("Cargo.toml".into()),
            request(Some("PROPFIND"), "https://example.com/dav", &[], &[]),
            Item::Events("-".into()),
        ];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn a_method_can_be_left_out_where_nothing_else_is_meant() {
        assert_eq!(items(&["/login", "-d", "x"]).unwrap(), [request(None, "/login", &[], &["x"])]);
        assert_eq!(items(&["http://h/"]).unwrap(), [request(None, "http://h/", &[], &[])]);
        assert_eq!(items(&["-d", "x", "/a"]).unwrap(), [request(None, "/a", &[], &["x"])]);
        let said = items(&["/a"]).unwrap_err();
        assert_eq!(said, "/a is no file; for a request write the method before it: GET /a");
    }

    #[test]
    fn mistakes_name_the_right_words() {
        for (arguments, expected) in [
            (&["GET"][..], "GET needs a path after it, such as GET /"),
            (&["GET", "login"], "write GET /login"),
            (&["get", "/login"], "methods are written in capitals: GET /login"),
            (&["Cargo.toml", "-H", "Cookie: s=secret"], "-H 'Cookie…' stands after Cargo.toml, which is an event"),
            (&["-d", "x=1", "POST", "/a", "POST", "/b"], "-d 'x…' stands before several requests"),
            (&["-d", "x=1"], "-H and -d are for requests"),
            (&["/no/such/file.json"], "GET /no/such/file.json"),
        ] {
            let said = items(arguments).unwrap_err();
            assert!(said.contains(expected), "{arguments:?}: {said}");
        }
    }
}
