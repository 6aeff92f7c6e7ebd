//! Packages and layers: files made for another place, and not made for speed.

use std::path::Path;

use serde_json::Value;
use wsgi_lambda::bundle::{Archive, Contents, Elf};

use super::{findings, ids};

const APP: &[u8] = b"def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'']\n";

/// The runtime as an ELF file, with its processor or the versions of glibc that it needs changed.
fn elf(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = std::fs::read(super::support::bootstrap()).unwrap();
    change(&mut bytes);
    bytes
}

/// The other processor than this one: e_machine is at byte 18 (62 is x86-64, 183 AArch64).
fn for_another_processor(bytes: &mut [u8]) {
    bytes[18] = if bytes[18] == 62 { 183 } else { 62 };
}

fn this_architecture() -> &'static str {
    if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" }
}

/// A version that this file needs becomes one that Lambda does not have.
fn for_a_newer_glibc(bytes: &mut [u8]) {
    let text = b"GLIBC_2.";
    let mut changed = 0;
    for index in 0..bytes.len() - 12 {
        if bytes[index..].starts_with(text) && bytes[index + 10] == 0 {
            bytes[index + 8..index + 10].copy_from_slice(b"99");
            changed += 1;
        }
    }
    assert!(changed > 0, "no version of two digits to change");
}

/// What doctor finds in a package of these files for python3.13, as a folder or as a zip.
fn package(files: &[(&str, &[u8])], zipped: bool) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = Archive::default();
    archive.add("app.py", Contents::Bytes(APP.to_vec()), false);
    for (name, bytes) in files {
        archive.add(*name, Contents::Bytes(bytes.to_vec()), false);
    }
    if zipped {
        archive.write_zip(&folder.path().join("package.zip"), |_| {}).unwrap();
    } else {
        archive.write_folder(&folder.path().join("package")).unwrap();
    }
    let code = if zipped { "package.zip" } else { "package/" };
    template(folder.path(), &format!("      CodeUri: {code}\n"), "");
    findings(&["--no-run", folder.path().to_str().unwrap()])
}

fn template(folder: &Path, properties: &str, resources: &str) {
    let layers =
        if resources.is_empty() { "[\"arn:aws:lambda:eu-west-1:1:layer:wsgi-lambda:1\"]" } else { "[!Ref Runtime]" };
    let text = format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  App:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
         Runtime: python3.13\n      Handler: app.app\n      Timeout: 29\n      Architectures: [{}]\n      \
         Environment: {{Variables: {{AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap}}}}\n      Layers: {layers}\n{properties}{resources}",
        this_architecture()
    );
    std::fs::write(folder.join("template.yaml"), text).unwrap();
}

#[test]
fn modules_for_another_place_are_found_in_folders_and_zips() {
    let arm = elf(for_another_processor);
    let new = elf(for_a_newer_glibc);
    let fine = elf(|_| {});
    let named = |tag: &str| format!("numpy/_core.{tag}");
    let linux =
        |minor: u32, library: &str| named(&format!("cpython-3{minor}-{}-linux-{library}.so", std::env::consts::ARCH));
    let without_gil = named(&format!("cpython-313t-{}-linux-gnu.so", std::env::consts::ARCH));
    let cases: [(&str, String, &[u8]); 8] = [
        ("package-architecture", linux(13, "gnu"), &arm),
        ("package-glibc", named("abi3.so"), &new),
        ("package-python", linux(11, "gnu"), &fine),
        ("package-python", without_gil, &fine),
        ("package-platform", named("cpython-313-darwin.so"), b"\xcf\xfa\xed\xfe"),
        ("package-platform", named("so"), b"\xcf\xfa\xed\xfe"),
        ("package-platform", named("cp313-win_amd64.pyd"), b"MZ"),
        ("package-platform", linux(13, "musl"), &fine),
    ];
    for zipped in [false, true] {
        for (id, name, bytes) in &cases {
            let found = package(&[(name, bytes)], zipped);
            assert_eq!(ids(&found), [*id], "{name}: {found:#?}");
            assert!(found[0]["what"].as_str().unwrap().starts_with(&format!("numpy: {name} ")), "{found:#?}");
        }
        let fine: [(&str, &[u8]); 3] = [(&linux(13, "gnu"), &fine), ("a/_y.abi3.so", &fine), ("a/data.so", b"text")];
        assert_eq!(package(&fine, zipped), Vec::<Value>::new());
    }
}

#[test]
fn what_wheels_say_they_are_for_is_believed() {
    let machine = std::env::consts::ARCH;
    let wheel = |tag: &str| {
        package(&[("lxml-6.0.dist-info/WHEEL", format!("Wheel-Version: 1.0\nTag: {tag}\n").as_bytes())], true)
    };
    for (tag, id) in [
        ("cp313-cp313-macosx_11_0_arm64".to_owned(), "package-platform"),
        (format!("cp313-cp313-manylinux_2_39_{machine}"), "package-glibc"),
        (format!("cp311-cp311-manylinux_2_17_{machine}"), "package-python"),
        (format!("cp313-cp313t-manylinux_2_17_{machine}"), "package-python"),
        ("cp313-cp313-manylinux_2_17_riscv64".to_owned(), "package-architecture"),
    ] {
        let found: Vec<Value> = wheel(&tag).into_iter().filter(|one| one["id"] != "package-pyc").collect();
        assert_eq!(ids(&found), [id], "{tag}");
        assert!(found[0]["what"].as_str().unwrap().contains(&tag), "{found:#?}");
    }
    for tag in [format!("cp313-cp313-manylinux_2_28_{machine}"), "py3-none-any".to_owned()] {
        assert!(wheel(&tag).iter().all(|one| one["id"] == "package-pyc"), "{tag}");
    }
}

#[test]
fn packages_in_a_layer_are_judged_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.py"), APP).unwrap();
    let module = folder.path().join("deps/python/lib/python3.13/site-packages/numpy");
    std::fs::create_dir_all(&module).unwrap();
    std::fs::write(module.join("_core.cpython-311-x86_64-linux-gnu.so"), "").unwrap();
    let resources = "  Runtime: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: wsgi-lambda.zip}}\n  \
                     Deps: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: deps}}\n";
    template(folder.path(), "      CodeUri: .\n", resources);
    let path = folder.path().join("template.yaml");
    let text = std::fs::read_to_string(&path).unwrap().replace("[!Ref Runtime]", "[!Ref Runtime, !Ref Deps]");
    std::fs::write(&path, text.replace(this_architecture(), "x86_64")).unwrap();
    let found = findings(&["--no-run", folder.path().to_str().unwrap()]);
    // It lies below the function's own folder too, which is `.` here: one place is enough to be told of.
    assert!(ids(&found).iter().all(|id| *id == "package-python") && !found.is_empty(), "{found:#?}");
}

#[test]
fn many_wrong_modules_of_one_package_are_one_finding() {
    let arm = elf(for_another_processor);
    let found = package(&[("numpy/a.abi3.so", &arm), ("numpy/b.abi3.so", &arm), ("lxml/c.abi3.so", &arm)], false);
    assert_eq!(ids(&found), ["package-architecture", "package-architecture"]);
    assert!(found.iter().any(|one| one["what"].as_str().unwrap().contains("(and 1 more file)")), "{found:#?}");
}

#[test]
fn modules_without_lasting_compiled_files_are_told_of() {
    let sources: Vec<String> = (0..30).map(|number| format!("flask/m{number}.py")).collect();
    let compiled = |flags: u8| [b"\xf3\x0d\x0d\x0a", &[flags, 0, 0, 0][..], &[0; 8]].concat();
    let with = |compiled: Option<(&str, &[u8])>, zipped: bool| {
        let mut files: Vec<(String, &[u8])> = vec![("flask-3.0.dist-info/METADATA".to_owned(), b"")];
        for name in &sources {
            files.push((name.clone(), b"x = 1\n"));
            if let Some((tag, bytes)) = compiled {
                let name = name.replace("flask/", "flask/__pycache__/").replace(".py", &format!(".{tag}.pyc"));
                files.push((name, bytes));
            }
        }
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        package(&files, zipped)
    };
    let (stamped, hashed) = (compiled(0), compiled(1));
    for zipped in [false, true] {
        assert_eq!(ids(&with(None, zipped)), ["package-pyc"]);
        assert_eq!(ids(&with(Some(("cpython-313", &stamped)), zipped)), ["package-pyc"]);
        assert_eq!(ids(&with(Some(("cpython-311", &hashed)), zipped)), ["package-pyc"]);
        assert_eq!(with(Some(("cpython-313", &hashed)), zipped), Vec::<Value>::new());
    }
}

#[test]
fn what_sam_has_built_is_what_is_uploaded() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("src");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("app.py"), APP).unwrap();
    template(folder.path(), "      CodeUri: src\n", "");
    let built = folder.path().join(".aws-sam/build/App/numpy");
    std::fs::create_dir_all(&built).unwrap();
    std::fs::write(built.join("x.abi3.so"), elf(for_another_processor)).unwrap();
    assert_eq!(ids(&findings(&["--no-run", folder.path().to_str().unwrap()])), ["package-architecture"]);
}

#[test]
fn a_package_above_the_limit_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("package");
    std::fs::create_dir_all(code.join("x-1.dist-info")).unwrap();
    std::fs::write(code.join("x-1.dist-info/METADATA"), "").unwrap();
    std::fs::write(code.join("app.py"), APP).unwrap();
    // A file of that length, without its bytes.
    std::fs::File::create(code.join("model.bin")).unwrap().set_len(250 * 1024 * 1024 + 1).unwrap();
    template(folder.path(), "      CodeUri: package\n", "");
    let arguments = ["--no-run", "--ignore", "package-pyc", folder.path().to_str().unwrap()];
    assert_eq!(ids(&findings(&arguments)), ["package-size"]);
}

#[test]
fn layers_are_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.py"), APP).unwrap();
    let layer = |bytes: Vec<u8>| {
        let mut archive = Archive::default();
        archive.add("bootstrap", Contents::Bytes(bytes), true);
        archive.write_zip(&folder.path().join("layer.zip"), |_| {}).unwrap();
    };
    let resources = "  Runtime: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer.zip}}\n";
    let check = |runtime: &str| {
        template(folder.path(), "      CodeUri: .\n", resources);
        let path = folder.path().join("template.yaml");
        let text = std::fs::read_to_string(&path).unwrap().replace("python3.13", runtime);
        std::fs::write(&path, text).unwrap();
        findings(&["--no-run", folder.path().to_str().unwrap()])
    };
    // The real one, which is linked to a Python of some version.
    let bootstrap = std::fs::read(super::support::bootstrap()).unwrap();
    let program = Elf::read(&bootstrap).unwrap().unwrap();
    let library = program.needed.iter().find_map(|name| name.strip_prefix("libpython")).unwrap();
    let version: String = library.split('.').take(2).collect::<Vec<_>>().join(".");
    layer(elf(for_another_processor));
    let found = check(&format!("python{version}"));
    assert_eq!(ids(&found).iter().filter(|id| **id != "runtime-preview").collect::<Vec<_>>(), [&"layer-architecture"]);

    layer(bootstrap);
    let other = if version == "3.14" { "python3.13" } else { "python3.14" };
    assert_eq!(ids(&check(other)), ["layer-python"]);
    // It brings no Python, and provided.* has none.
    assert_eq!(ids(&check("provided.al2023")), ["layer-python", "exec-wrapper-ignored"]);
}

#[test]
fn a_bootstrap_in_the_package_hides_the_layers() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.py"), APP).unwrap();
    std::fs::write(folder.path().join("bootstrap"), "#!/bin/sh\n").unwrap();
    template(folder.path(), "      CodeUri: .\n", "");
    let path = folder.path().join("template.yaml");
    let text = std::fs::read_to_string(&path).unwrap().replace("python3.13", "provided.al2023");
    let text = text.lines().filter(|line| !line.contains("Environment")).collect::<Vec<_>>().join("\n");
    std::fs::write(&path, text).unwrap();
    assert_eq!(ids(&findings(&["--no-run", folder.path().to_str().unwrap()])), ["bootstrap-shadowed"]);
}
