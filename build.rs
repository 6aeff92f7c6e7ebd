//! Tells the linker where `bootstrap` finds libpython, tells the code which Python it is built with, and compiles our
//! Python code.

#[cfg(feature = "python")]
use std::path::{Path, PathBuf};
#[cfg(feature = "python")]
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=events"); // the command line contains them
    #[cfg(feature = "python")]
    python();
}

/// Sets the RUNPATH, in this order: `lib` next to the binary (a self-contained layer), `lib` in the folder above, the
/// managed runtime's place. Unless the build is for a layer, the Python of this machine follows, so that
/// `target/…/bootstrap` runs where it was built.
#[cfg(feature = "python")]
#[allow(clippy::disallowed_methods)] // settings of the build, not of the runtime
fn python() {
    println!("cargo:rerun-if-env-changed=WSGI_LAMBDA_PORTABLE");
    let config = pyo3_build_config::get();
    let version = config.version();
    if let Some(python) = config.executable() {
        println!("cargo:rerun-if-changed={python}"); // bytecode and libpython are this Python's
    }
    println!("cargo:rustc-env=WSGI_LAMBDA_PYTHON=python{}.{}", version.major, version.minor);
    for place in ["$ORIGIN/lib", "$ORIGIN/../lib", "/var/lang/lib"] {
        println!("cargo:rustc-link-arg-bin=bootstrap=-Wl,-rpath,{place}");
    }
    let portable = std::env::var_os("WSGI_LAMBDA_PORTABLE").is_some();
    if portable {
        // libpython may need a newer glibc than the one that is linked for: what counts is the one where it runs.
        println!("cargo:rustc-link-arg-bin=bootstrap=-Wl,--allow-shlib-undefined");
    }
    let (prefix, library) = config.executable().map(locate).unwrap_or_default();
    // pyo3 only knows the place in sysconfig. A place that is right, or that PYO3_CONFIG_FILE names, has to come first.
    let known = config.lib_dir().zip(config.lib_name());
    if !library.is_empty()
        && !known.is_some_and(|(folder, name)| Path::new(folder).join(format!("lib{name}.so")).exists())
    {
        println!("cargo:rustc-link-search=native={library}");
    }
    if !library.is_empty() && !portable {
        println!("cargo:rustc-link-arg-bin=bootstrap=-Wl,-rpath,{library}");
    }
    println!("cargo:rustc-env=WSGI_LAMBDA_BUILD_HOME={}", if portable { "" } else { &prefix });
    compile_glue(config.executable(), &PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()));
}

/// Returns the prefix of a Python and the folder of its shared library; empty strings if the Python cannot be run here.
#[cfg(feature = "python")]
fn locate(python: &str) -> (String, String) {
    let script = "src/python/locate.py";
    println!("cargo:rerun-if-changed={script}");
    let output = Command::new(python).args(["-S", "-B", script]).output();
    let printed = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let mut lines = printed.lines().map(str::to_owned);
    (lines.next().unwrap_or_default(), lines.next().unwrap_or_default())
}

/// Compiles our own Python code and the standard library's regular expressions, for `src/python/glue.rs` and
/// `expressions.rs`. Compiling our code at each start would take half of the start of a small application. If the
/// interpreter cannot be run here, the runtime compiles the sources when it starts.
#[cfg(feature = "python")]
#[allow(clippy::disallowed_methods)] // settings of the build, not of the runtime
fn compile_glue(executable: Option<&str>, out: &Path) {
    let sources = "src/python/glue";
    println!("cargo:rerun-if-changed={sources}");
    println!("cargo:rerun-if-changed=src/python/compile_glue.py");
    let compiled = executable.is_some_and(|python| {
        let mut command = Command::new(python);
        command.args(["-S", "-B", "src/python/compile_glue.py", sources]).arg(out);
        // With another seed the order of sets, and so the bytes, would differ from build to build.
        let output = command.env("PYTHONHASHSEED", "0").env_remove("PYTHONPATH").output();
        output.is_ok_and(|output| output.status.success())
    });
    if !compiled {
        copy_sources(sources, out);
        println!("cargo:warning=no Python to compile src/python/glue with: it is compiled at each start instead");
    }
}

/// Writes the sources in place of the bytecode, and no regular expressions.
#[cfg(feature = "python")]
#[allow(clippy::expect_used)] // a build fails by panicking
fn copy_sources(sources: &str, out: &Path) {
    let write = |file: &Path, data: &[u8]| std::fs::write(out.join(file), data).expect("OUT_DIR can be written to");
    for folder in [sources.to_owned(), format!("{sources}/imports")] {
        let entries = std::fs::read_dir(folder).expect("the folder exists").flatten();
        for entry in entries.filter(|entry| entry.path().is_file()) {
            let source = std::fs::read(entry.path()).expect("the file can be read");
            write(&PathBuf::from(entry.file_name()).with_extension("bin"), &source);
        }
    }
    write(Path::new("expression_table.bin"), b"");
}
