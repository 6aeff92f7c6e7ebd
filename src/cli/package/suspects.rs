//! Files of the application that are packed, and look like keys, credentials or databases. Everybody who may read the
//! function's code can read them.
//!
//! What a distribution in the application's folder brings is not meant: certifi has a `cacert.pem`.

use std::fs;
use std::path::Path;

use super::files::AppFiles;
use super::rules::Selection;
use super::settings;
use crate::bundle::Glob;
use crate::cli::failure::Failure;
use crate::cli::packaging::dists::Dists;

/// A file, and what it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) path: String,
    pub(super) what: &'static str,
}

const KEY: &str = "a private key";
const CREDENTIALS: &str = "credentials";
const DATABASE: &str = "a database";
const ACCOUNT: &str = "the key of a service account";

/// What names say. Letters count as small.
const BY_NAME: [(&str, &[&str]); 4] = [
    (
        KEY,
        &[
            "*.pem",
            "*.key",
            "*.p12",
            "*.pfx",
            "*.ppk",
            "*.jks",
            "*.keystore",
            "id_rsa*",
            "id_dsa*",
            "id_ecdsa*",
            "id_ed25519*",
        ],
    ),
    (
        CREDENTIALS,
        &[
            "credentials*",
            "*credentials.csv",
            "*accesskeys.csv",
            "rootkey.csv",
            "client_secret*",
            "secrets.*",
            "*.env",
            ".htpasswd",
            ".pgpass",
            ".git-credentials",
        ],
    ),
    (DATABASE, &["*.db", "*.sqlite", "*.sqlite3", "dump*.sql", "*dump.sql"]),
    ("an archive of its own", &["*.zip", "*.whl", "*.tar.gz", "*.tgz"]),
];

/// What editors and people append to the name of a copy.
const OF_COPIES: [&str; 5] = ["~", ".bak", ".orig", ".old", ".swp"];

/// How a database of SQLite begins (its documentation, "Database File Format").
const SQLITE: &[u8] = b"SQLite format 3\0";

/// A larger text is no key.
const MAX_KEY: u64 = 64 * 1024;

/// Looks at every file of the application. What the user keeps is meant.
pub(super) fn find(
    app: &AppFiles,
    stage: &Path,
    source: &Path,
    selection: &Selection,
) -> Result<Vec<Suspect>, Failure> {
    let vendored = Dists::read(source)?;
    let names: Vec<(Glob, &'static str)> = BY_NAME
        .iter()
        .flat_map(|(what, texts)| texts.iter().filter_map(|text| Some((Glob::parse(text).ok()?, *what))))
        .collect();
    let mut found = Vec::new();
    for path in app.paths.iter().filter(|path| !selection.keeps(path) && vendored.owner(path).is_none()) {
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        let original = OF_COPIES.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
        let by_name = names.iter().find(|(glob, _)| glob.matches(original)).map(|(_, what)| *what);
        if let Some(what) = judge(by_name, &stage.join(path)) {
            found.push(Suspect { path: path.clone(), what });
        }
    }
    Ok(found)
}

/// The contents count more than the name: a certificate is no secret, and a key may have any name.
fn judge(by_name: Option<&'static str>, path: &Path) -> Option<&'static str> {
    let ending = path.extension().unwrap_or_default();
    let is_code = ending == "py";
    if ending == "pub" {
        return None;
    }
    let is_small = path.metadata().is_ok_and(|metadata| metadata.len() <= MAX_KEY);
    let text = if is_small { fs::read(path).unwrap_or_default() } else { Vec::new() };
    let has = |text: &[u8], mark: &str| memchr::memmem::find(text, mark.as_bytes()).is_some();
    if ending == "json" && has(&text, "\"private_key\"") {
        return Some(ACCOUNT);
    }
    if !is_code && has(&text, "-----BEGIN ") && has(&text, "PRIVATE KEY-----") {
        return Some(KEY);
    }
    if settings::hold_secrets(&String::from_utf8_lossy(&text), is_code) {
        return Some(CREDENTIALS);
    }
    let text = if is_small { text } else { start_of(path) };
    if text.starts_with(SQLITE) {
        return Some(DATABASE);
    }
    if by_name == Some(KEY) && (has(&text, "-----BEGIN CERTIFICATE") || has(&text, "-----BEGIN PUBLIC KEY")) {
        return None;
    }
    by_name.filter(|what| !is_code || *what == CREDENTIALS)
}

/// A long list of certificates has a comment before the first.
fn start_of(path: &Path) -> Vec<u8> {
    use std::io::Read as _;
    let mut start = Vec::new();
    let file = fs::File::open(path);
    // What cannot be read is judged by its name.
    let _ = file.and_then(|file| file.take(MAX_KEY).read_to_end(&mut start));
    start
}

#[cfg(test)]
mod tests {
    use super::super::rules::Globs;
    use super::*;

    #[test]
    fn every_pattern_can_be_read() {
        assert!(BY_NAME.iter().all(|(_, texts)| texts.iter().all(|text| Glob::parse(text).is_ok())));
    }

    #[test]
    fn keys_and_databases_are_known_by_name_or_contents() {
        let folder = tempfile::tempdir().unwrap();
        let certificate = "-----BEGIN CERTIFICATE-----\n";
        let mut app = AppFiles::default();
        for (path, text) in [
            ("server.pem", "-----BEGIN RSA PRIVATE KEY-----\n"),
            ("odd.pem", "?"),
            ("certs/ca.pem", certificate),
            ("both.pem", "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n"),
            ("deploy.txt", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
            ("keys/ID_RSA", "x"),
            ("keys/id_rsa.pub", "x"),
            ("credentials.csv", "x"),
            ("firebase.json", "{\"type\": \"service_account\", \"private_key\": \"-----BEGIN PRIVATE KEY-----\"}"),
            ("package.json", "{\"private\": true}"),
            ("db.sqlite3", "x"),
            ("kept.db", "x"),
            ("app.py", "'-----BEGIN PRIVATE KEY-----'"),
            ("prod.env", "x"),
            ("ada_accessKeys.csv", "x"),
            ("a.pem~", "x"),
            ("dump.sql", "x"),
            ("schema.sql", "x"),
            ("state.bin", "SQLite format 3\0x"),
            ("settings.ini", "AWS_SECRET_ACCESS_KEY = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz"),
            ("old.zip", "x"),
            ("some/vendored.pem", "x"),
        ] {
            fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
            fs::write(folder.path().join(path), text).unwrap();
            app.paths.insert(path.to_owned());
        }
        let info = folder.path().join("some-1.dist-info");
        fs::create_dir(&info).unwrap();
        fs::write(info.join("METADATA"), "Name: some\nVersion: 1\n").unwrap();
        fs::write(info.join("RECORD"), "some/vendored.pem,,\n").unwrap();
        let keep = Globs::parse(&["/kept.db"], "--keep").unwrap();
        let selection = Selection::new([], &Globs::default(), &keep);
        let found = find(&app, folder.path(), folder.path(), &selection).unwrap();
        let found: Vec<_> = found.iter().map(|one| (one.path.as_str(), one.what)).collect();
        let expected = [
            ("a.pem~", KEY),
            ("ada_accessKeys.csv", CREDENTIALS),
            ("both.pem", KEY),
            ("credentials.csv", "credentials"),
            ("db.sqlite3", "a database"),
            ("deploy.txt", KEY),
            ("dump.sql", DATABASE),
            ("firebase.json", ACCOUNT),
            ("keys/ID_RSA", KEY),
            ("odd.pem", KEY),
            ("old.zip", "an archive of its own"),
            ("prod.env", CREDENTIALS),
            ("server.pem", KEY),
            ("settings.ini", CREDENTIALS),
            ("state.bin", DATABASE),
        ];
        assert_eq!(found, expected);
    }
}
