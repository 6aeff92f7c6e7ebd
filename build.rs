//! Tells the linker where `bootstrap` finds libpython, and the code which Python it was built with.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=events"); // embedded in the command line
    #[cfg(feature = "python")]
    python();
}

/// RUNPATH: beside the binary (a self-contained layer), above it, the managed runtime's place; then, unless this is
/// the build for a layer, the Python of this machine, so that `target/…/bootstrap` runs where it was built.
#[cfg(feature = "python")]
#[allow(clippy::disallowed_methods)] // settings of the build, not of the runtime
fn python() {
    println!("cargo:rerun-if-env-changed=WSGI_LAMBDA_PORTABLE");
    let config = pyo3_build_config::get();
    let version = config.version();
    println!("cargo:rustc-env=WSGI_LAMBDA_PYTHON=python{}.{}", version.major, version.minor);
    for place in ["$ORIGIN/lib", "$ORIGIN/../lib", "/var/lang/lib"] {
        println!("cargo:rustc-link-arg-bin=bootstrap=-Wl,-rpath,{place}");
    }
    let portable = std::env::var_os("WSGI_LAMBDA_PORTABLE").is_some();
    let lib_dir = config.lib_dir().filter(|_| !portable).map(str::to_owned);
    let home = lib_dir.as_deref().and_then(|dir| std::path::Path::new(dir).parent()).map(std::path::PathBuf::from);
    if let Some(dir) = lib_dir {
        println!("cargo:rustc-link-arg-bin=bootstrap=-Wl,-rpath,{dir}");
    }
    println!("cargo:rustc-env=WSGI_LAMBDA_BUILD_HOME={}", home.unwrap_or_default().display());
    compile_glue(config.executable());
}

/// Compiles our own Python code, which would take half of the start of a small application, and the standard library's
/// regular expressions into `glue.bin`, for `src/python/glue.rs`. Without an interpreter that can be run here the file
/// is empty, and the runtime compiles the sources when it starts.
#[cfg(feature = "python")]
#[allow(clippy::disallowed_methods, clippy::expect_used)] // a build fails by panicking
fn compile_glue(executable: Option<&str>) {
    let folder = "src/python/glue";
    println!("cargo:rerun-if-changed={folder}");
    println!("cargo:rerun-if-changed=src/python/compile_glue.py");
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("glue.bin");
    let compiled = executable.and_then(|python| {
        // Hash order would show in the bytes of sets.
        let mut command = std::process::Command::new(python);
        let arguments = ["-S", "-B", "src/python/compile_glue.py", folder];
        let output = command.args(arguments).env("PYTHONHASHSEED", "0").env_remove("PYTHONPATH").output();
        output.ok().filter(|output| output.status.success()).map(|output| output.stdout)
    });
    if compiled.is_none() {
        println!("cargo:warning=no Python to compile src/python/glue with: it is compiled at each start instead");
    }
    std::fs::write(out, compiled.unwrap_or_default()).expect("OUT_DIR can be written to");
}
