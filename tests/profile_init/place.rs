//! An application in a folder, its record, and what is seen of it from outside.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{self, Function, Setup, app, event, root};

const ANSWER: &str = "
def app(environ, start_response):
    start_response('200 OK', [])
    return [repr(answer(environ['PATH_INFO'])).encode()]
";

/// A folder with an application, and a place for its record.
pub(crate) struct Place(pub(crate) TempDir);

impl Place {
    /// `app.py` has this source and an application that returns `answer(path)`.
    pub(crate) fn new(source: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("app.py", &format!("{source}\n{ANSWER}"));
        place
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("record.json")
    }

    pub(crate) fn function(&self) -> Setup {
        app(self.0.path(), "app:app").env("WSGI_LAMBDA_PROFILE_INIT", self.file().to_str().unwrap())
    }

    pub(crate) fn start(&self) -> Function {
        self.function().start()
    }

    pub(crate) fn record(&self) -> Record {
        Record(serde_json::from_slice(&fs::read(self.file()).unwrap()).unwrap())
    }

    pub(crate) fn replay(&self, arguments: &[&str]) -> Output {
        let event = root().join("events/function-url-get.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgi-lambda"));
        command.arg("replay").arg(event).args(arguments).current_dir(self.0.path());
        for variable in ["AWS_REGION", "CLICOLOR_FORCE", "VIRTUAL_ENV"] {
            command.env_remove(variable);
        }
        command.env("WSGI_LAMBDA_BOOTSTRAP", support::bootstrap()).output().unwrap()
    }
}

/// What the runtime wrote.
pub(crate) struct Record(pub(crate) Value);

impl Record {
    pub(crate) fn imports(&self) -> &[Value] {
        self.0["imports"].as_array().unwrap()
    }

    /// Each import of a module: there are two of one that was deferred and then touched.
    pub(crate) fn all(&self, name: &str) -> Vec<&Value> {
        self.imports().iter().filter(|import| import["name"] == name).collect()
    }

    pub(crate) fn one(&self, name: &str) -> &Value {
        let [one] = self.all(name)[..] else { panic!("{name}: {:?}", self.all(name)) };
        one
    }

    pub(crate) fn parent(&self, name: &str) -> Option<&str> {
        let place = self.one(name)["parent"].as_u64()?;
        self.imports()[usize::try_from(place).unwrap()]["name"].as_str()
    }

    /// What holds of every record: who waits takes at least as long as what it waits for, within the same time.
    pub(crate) fn check(&self) {
        for (place, import) in self.imports().iter().enumerate() {
            let ns = |import: &Value, key: &str| import[key].as_u64().unwrap();
            let children = self.imports().iter().filter(|child| child["parent"] == json!(place));
            let sum: u64 = children.clone().map(|child| ns(child, "ns")).sum();
            assert!(sum <= ns(import, "ns"), "{import}");
            assert!(import["compile_ns"].as_u64().unwrap_or(0) <= ns(import, "ns"), "{import}");
            for child in children {
                assert!(ns(child, "start") >= ns(import, "start"), "{child} in {import}");
            }
        }
    }
}

/// A request for this path.
pub(crate) fn path(path: &str) -> Value {
    let mut event = event("function-url-get");
    event["rawPath"] = path.into();
    event
}
