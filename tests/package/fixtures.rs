//! Wheels and sources made by a test, so that pip has something to choose from without a network.

#![allow(unreachable_pub, reason = "a module of a test crate")]

use std::path::Path;

use wsgi_lambda::bundle::{Archive, Contents};

/// A wheel of one module, with more files if a test wants them.
pub fn wheel(folder: &Path, name: &str, tag: &str, files: &[(&str, &[u8])]) {
    let info = format!("{name}-1.0.dist-info");
    let mut archive = Archive::default();
    let mut add = |path: String, contents: &[u8]| archive.add(path, Contents::Bytes(contents.to_vec()), false);
    let mut record = format!("{name}/__init__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n");
    add(format!("{name}/__init__.py"), format!("NAME = {name:?}\n").as_bytes());
    for (path, contents) in files {
        record.extend([path, ",,\n"]);
        add((*path).to_owned(), contents);
    }
    add(format!("{info}/METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n").as_bytes());
    let wheel = format!("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n");
    add(format!("{info}/WHEEL"), wheel.as_bytes());
    add(format!("{info}/RECORD"), record.as_bytes());
    archive.write_zip(&folder.join(format!("{name}-1.0-{tag}.whl")), |_| {}).unwrap();
}

/// A source distribution whose build gives a wheel with this tag. It brings its own build backend.
pub fn source(folder: &Path, name: &str, tag: &str) {
    let project = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";
    let backend = BACKEND.replace("{name}", name).replace("{tag}", tag);
    let mut archive = Archive::default();
    for (path, text) in [
        ("pyproject.toml", format!("{project}[project]\nname = '{name}'\nversion = '1.0'\n")),
        ("backend.py", backend),
        ("PKG-INFO", format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")),
    ] {
        archive.add(format!("{name}-1.0/{path}"), Contents::Bytes(text.into_bytes()), false);
    }
    archive.write_zip(&folder.join(format!("{name}-1.0.zip")), |_| {}).unwrap();
}

const BACKEND: &str = "\
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    file, info = '{name}-1.0-{tag}.whl', '{name}-1.0.dist-info'
    with zipfile.ZipFile(f'{folder}/{file}', 'w') as wheel:
        wheel.writestr('{name}/__init__.py', 'NAME = 1')
        wheel.writestr(f'{info}/METADATA', 'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n')
        wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {tag}\\n')
        wheel.writestr(f'{info}/RECORD', f'{name}/__init__.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n')
    return file
";
