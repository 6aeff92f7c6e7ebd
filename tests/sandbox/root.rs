//! A root like Lambda's, and a process in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::client::invoke;
use crate::layer::Layer;
use crate::machine::Machine;
use crate::tool::{Tool, free_port};

/// How the runtime finds its Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// `provided.al2023`: both in `/opt`.
    SelfContained,
    /// `python3.N`: the runtime in `/opt`, Python in `/var/lang`, started through AWS_LAMBDA_EXEC_WRAPPER.
    Managed,
}

/// A function in its sandbox. Dropping it ends it.
pub(crate) struct Sandbox {
    tool: Tool,
    port: u16,
    _root: TempDir,
}

/// Runs as root in namespaces of its own: nothing that it mounts is seen outside, and all ends with it. The shell stays, as
/// the namespace's first process: the wish to die with `unshare` would not survive chroot's change of user (prctl(2)).
const ENTER: &str = r#"
set -e
root=$1; shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for device in null zero random urandom; do mount --bind /dev/$device "$root/dev/$device"; done
mount -o remount,bind,ro "$root"
PATH=$PATH:/usr/sbin:/sbin
chroot=$(command -v chroot)
PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin
cd /
"$chroot" --userspec=993:990 "$root" "$@" || exit
exit 0
"#;

impl Sandbox {
    pub(crate) fn start(layer: &Layer, flavour: Flavour, package: &Path, handler: &str, timeout: u32) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        furnish(root.path(), layer, flavour, package);
        let (port, api) = (free_port(), free_port());
        let entry = if flavour == Flavour::Managed { "/var/runtime/bootstrap" } else { "/opt/bootstrap" };
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", ENTER, "enter"])
            .arg(root.path())
            .args(["/usr/local/bin/aws-lambda-rie", "--runtime-interface-emulator-address"])
            .args([&format!("127.0.0.1:{port}"), "--runtime-api-address", &format!("127.0.0.1:{api}"), entry])
            .env_clear()
            .envs(environment(layer, flavour, handler, timeout));
        let mut tool = Tool::start(&mut command);
        tool.listens(port);
        Self { tool, port, _root: root }
    }

    /// Invokes the function; returns the payload.
    pub(crate) fn invoke(&self, event: &Value) -> Value {
        invoke(self.port, event)
    }

    pub(crate) fn logs(&self) -> String {
        self.tool.logs()
    }
}

/// The variables that Lambda sets (docs, "Defined runtime environment variables").
fn environment(layer: &Layer, flavour: Flavour, handler: &str, timeout: u32) -> Vec<(String, String)> {
    let managed = flavour == Flavour::Managed;
    let mut variables = vec![
        ("_HANDLER", handler.to_owned()),
        ("AWS_DEFAULT_REGION", "eu-central-1".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024".to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "function".to_owned()),
        ("AWS_LAMBDA_FUNCTION_TIMEOUT", timeout.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("LAMBDA_TASK_ROOT", "/var/task".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        (
            "LD_LIBRARY_PATH",
            "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib".to_owned(),
        ),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ];
    if layer.made_here {
        variables.push(("SSL_CERT_FILE", "/etc/pki/tls/certs/ca-bundle.crt".to_owned()));
    }
    if managed {
        variables.push(("AWS_LAMBDA_EXEC_WRAPPER", "/opt/bootstrap".to_owned()));
        variables.push(("AWS_EXECUTION_ENV", format!("AWS_Lambda_python{}", layer.python)));
    }
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What `/var/runtime/bootstrap` of the managed runtimes comes down to (captured; platform documents, "Modifying the
/// runtime environment").
const MANAGED_BOOTSTRAP: &str =
    "#!/bin/sh\nexec \"$AWS_LAMBDA_EXEC_WRAPPER\" /var/lang/bin/python3 /var/runtime/bootstrap.py\n";

fn furnish(root: &Path, layer: &Layer, flavour: Flavour, package: &Path) {
    for folder in ["proc", "tmp", "dev", "etc/pki/tls/certs", "lib64", "bin", "usr/local/bin", "var/runtime", "opt"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    for device in ["null", "zero", "random", "urandom"] {
        fs::write(root.join("dev").join(device), "").unwrap();
    }
    fs::write(root.join("etc/passwd"), "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n").unwrap();
    fs::write(root.join("etc/hosts"), "127.0.0.1 localhost\n").unwrap();
    let certificates = root.join("etc/pki/tls/certs/ca-bundle.crt");
    fs::copy("/etc/ssl/certs/ca-certificates.crt", certificates).unwrap();
    std::os::unix::fs::symlink("certs/ca-bundle.crt", root.join("etc/pki/tls/cert.pem")).unwrap();
    c_library(root, &layer.machine);
    fs::copy(&layer.machine.shell, root.join("bin/sh")).unwrap();
    fs::copy(&layer.rie, root.join("usr/local/bin/aws-lambda-rie")).unwrap();
    executable(&root.join("usr/local/bin/aws-lambda-rie"));
    copy(&package.join("function"), &root.join("var/task"));
    match flavour {
        Flavour::SelfContained => copy(layer.path(), &root.join("opt")),
        Flavour::Managed => {
            copy(&layer.path().join("lib"), &root.join("var/lang/lib"));
            fs::write(root.join("var/runtime/bootstrap"), MANAGED_BOOTSTRAP).unwrap();
            executable(&root.join("var/runtime/bootstrap"));
        }
    }
    fs::copy(layer.path().join("bootstrap"), root.join("opt/bootstrap")).unwrap();
}

/// The C library and its loader, of which Amazon Linux 2023 has its own. Nothing else of the machine goes in.
fn c_library(root: &Path, machine: &Machine) {
    let parts = [
        "libc",
        "libm",
        "libdl",
        "libpthread",
        "librt",
        "libutil",
        "libresolv",
        "libnss_dns",
        "libnss_files",
        "libgcc_s",
    ];
    for entry in fs::read_dir(&machine.libraries).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap_or_default();
        if parts.iter().any(|part| name.strip_prefix(part).is_some_and(|rest| rest.starts_with(".so."))) {
            fs::copy(entry.path(), root.join("lib64").join(name)).unwrap();
        }
    }
    let name = machine.loader.file_name().unwrap();
    fs::copy(&machine.loader, root.join("lib64").join(name)).unwrap();
    // arm64 programs name it in `/lib`.
    std::os::unix::fs::symlink("lib64", root.join("lib")).unwrap();
}

fn executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let from = from.join(".");
    fs::create_dir_all(to).unwrap();
    let copied = Command::new("cp").arg("-a").arg(&from).arg(to).status().unwrap();
    // Lambda makes folders that a zip implies readable for everybody; the crate that unpacks here does not.
    let opened = Command::new("chmod").args(["-R", "a+rX"]).arg(to).status().unwrap();
    assert!(copied.success() && opened.success());
}
