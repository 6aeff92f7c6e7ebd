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
}
