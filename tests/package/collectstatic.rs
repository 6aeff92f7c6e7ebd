//! `--collectstatic`: real Django, with WhiteNoise's storage, in a package that the real runtime serves.

use super::*;

const MANAGE: &str = "\
import os, sys

if __name__ == '__main__':
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
";

const SETTINGS: &str = "\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = 'of a test'
ALLOWED_HOSTS = ['*']
ROOT_URLCONF = 'shop.wsgi'
INSTALLED_APPS = ['django.contrib.staticfiles']
MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']
STATIC_URL = 'static/'
STATIC_ROOT = BASE_DIR / 'staticfiles'
STATICFILES_DIRS = [BASE_DIR / 'shop/static']
STORAGES = {'staticfiles': {'BACKEND': 'whitenoise.storage.CompressedManifestStaticFilesStorage'}}
(BASE_DIR / 'debug.log').write_text('a log that settings open')
";

const WSGI: &str = "\
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path

urlpatterns = [path('json', lambda request: HttpResponse('\"%s\"' % static('shop.css')))]
application = get_wsgi_application()
";

/// A project in `app`, with a copy of an earlier `collectstatic` that is newer than what it was made from.
fn project(requirements: &str) -> Place {
    let place = Place::new(requirements);
    place.write("app/manage.py", MANAGE);
    place.write("app/shop/__init__.py", "");
    place.write("app/shop/settings.py", SETTINGS);
    place.write("app/shop/wsgi.py", WSGI);
    place.write("app/shop/static/shop.css", &"body { background: url(img/tea.svg) }\n".repeat(20));
    place.write("app/shop/static/img/tea.svg", "<svg/>");
    place.write("app/staticfiles/gone.css", "from an earlier run");
    place.write("app/staticfiles/shop.css", "from an earlier run");
    place
}

/// The environment of the tests, which has Django and WhiteNoise.
fn environment() -> PathBuf {
    support::root().join(".cache/venv/bin/python")
}

impl Place {
    /// Nothing is installed: the packages are the environment's.
    fn collect(&self, arguments: &[&str]) -> Said {
        let python = environment();
        let all = ["app", "--collectstatic", "--no-requirements", "--interpreter", python.to_str().unwrap()];
        self.run(&[&all, arguments].concat())
    }
}

#[test]
fn static_files_are_collected_compressed_and_served() {
    let place = project("Django~=5.2.19\nwhitenoise~=6.12.0\n");
    let said = place.run(&["app", "--collectstatic", "-o", "x.zip"]).fine();
    assert!(said.stdout.contains("7 files in staticfiles"), "{}", said.stdout);
    let files = place.unzipped("x.zip");
    let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    let manifest: Value = serde_json::from_slice(&files["staticfiles/staticfiles.json"]).unwrap();
    let hashed = manifest["paths"]["shop.css"].as_str().unwrap();
    assert!(hashed.starts_with("shop.") && hashed.len() == "shop.0123456789ab.css".len(), "{hashed}");
    assert!(text(&format!("staticfiles/{hashed}")).contains("img/tea."), "it names another hashed file");
    assert!(files.contains_key(&format!("staticfiles/{hashed}.gz")));
    for gone in ["staticfiles/gone.css", "debug.log"] {
        assert!(!files.contains_key(gone), "{gone}");
    }
    assert!(!text("staticfiles/shop.css").contains("earlier"));
    assert!(!place.path("app/debug.log").exists(), "the application's folder stays as it is");
    place.run(&["app", "--collectstatic", "-o", "y.zip"]).fine();
    assert!(fs::read(place.path("x.zip")).unwrap() == fs::read(place.path("y.zip")).unwrap(), "the bytes differ");

    let task = place.path("task");
    for (name, bytes) in &files {
        fs::create_dir_all(task.join(name).parent().unwrap()).unwrap();
        fs::write(task.join(name), bytes).unwrap();
    }
    let mut function =
        support::app(&task, "shop.wsgi:application").env("DJANGO_SETTINGS_MODULE", "shop.settings").start();
    let mut event = support::event("function-url-get");
    event["rawPath"] = "/json".into();
    let url = function.invoke(&event).body_json();
    assert_eq!(url, format!("/static/{hashed}"), "the application reads the manifest");
    event["rawPath"] = url;
    event["headers"]["accept-encoding"] = "gzip".into();
    let response = function.invoke(&event);
    assert_eq!((response.status(), response.header("content-encoding")), (200, Some("gzip")), "{}", function.logs());
    assert_eq!(response.header("cache-control"), Some("max-age=315360000, public, immutable"));
    assert_eq!(response.body(), files[&format!("staticfiles/{hashed}.gz")], "the file, byte for byte");
}

#[test]
fn what_is_excluded_stays_out_and_the_manifest_alone_goes_in() {
    let place = project("");
    let said = place.collect(&["--exclude", "/staticfiles/*/*", "--exclude", "*.gz", "--json"]).fine();
    assert!(said.stdout.contains("\"static_files\":\"3\""), "{}", said.stdout);
    let files = place.unzipped("dist/app.zip");
    let collected: Vec<_> = files.keys().filter(|name| name.starts_with("staticfiles/")).collect();
    assert!(collected.iter().any(|name| *name == "staticfiles/staticfiles.json"), "{collected:?}");
    assert!(!collected.iter().any(|name| name.contains("/img/")), "{collected:?}");
}

#[test]
fn what_is_wrong_with_a_project_is_a_line() {
    let place = project("");
    let settings = |change: &str| place.write("app/shop/settings.py", &format!("{SETTINGS}{change}\n"));
    for (change, text) in [
        ("STATIC_ROOT = None", "STATIC_ROOT is not set: STATIC_ROOT = BASE_DIR /"),
        ("STATIC_ROOT = '/var/www/static'", "STATIC_ROOT is /var/www/static, outside of the package"),
        ("STATIC_ROOT = BASE_DIR", "STATIC_ROOT is a folder with code"),
        ("STATIC_ROOT = BASE_DIR / 'shop'", "STATIC_ROOT is a folder with code"),
        ("INSTALLED_APPS = []", "INSTALLED_APPS has no django.contrib.staticfiles"),
        ("STORAGES['staticfiles']['BACKEND'] = 'django.core.files.storage.Storage'", "the storage for static"),
        ("STORAGES['staticfiles']['BACKEND'] = 'nowhere.Storage'", "No module named 'nowhere'"),
        ("import nothing_here", "No module named 'nothing_here'"),
    ] {
        settings(change);
        place.collect(&[]).fails(1, &["--collectstatic: ", text]);
    }
    settings("");
    place.write("app/shop/static/shop.css", "body { background: url(missing.png) }");
    place.collect(&[]).fails(1, &["missing.png", "could not be found"]);
    fs::remove_file(place.path("app/manage.py")).unwrap();
    place.collect(&[]).fails(1, &["no settings", "DJANGO_SETTINGS_MODULE"]);
    assert!(!place.path("dist").exists(), "nothing is written");
}

#[test]
fn packages_for_another_processor_are_not_run() {
    let place = project("");
    // Its library is for this machine alone, as psycopg's is for the function's.
    place.write("app/django/__init__.py", "from . import _speedups\n");
    place
        .run(&["app", "--collectstatic", "--no-requirements", "--architecture", other_architecture()])
        .fails(1, &["_speedups", "\nThe package is for Python", "--interpreter .venv/bin/python"]);
    let said = place.collect(&["--architecture", other_architecture()]).fine();
    assert!(said.stdout.contains("files in staticfiles"), "{}", said.stdout);
}

#[test]
fn a_requirement_that_is_not_listed_is_missed() {
    let place = project("");
    let links = place.path("wheels");
    fixtures::wheel(&links, "one", "py3-none-any", &[]);
    place.write("app/requirements.txt", &format!("--no-index\n--find-links {}\none\n", links.display()));
    let python = environment();
    place
        .run(&["app", "--collectstatic", "--interpreter", python.to_str().unwrap()])
        .fails(1, &["--collectstatic: Django is not in the package: add it to the requirements"]);
}
