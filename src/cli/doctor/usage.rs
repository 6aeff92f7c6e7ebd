//! Arguments that name something else than they should, and what to write instead.

use std::path::Path;

use super::find;
use super::project::Project;
use crate::cli::failure::Failure;
use crate::cli::look;
use crate::handler_name::HandlerName;

/// Refuses a file in the place of the folder.
pub(super) fn folder(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    let shown = path.display();
    if !path.is_file() {
        return Err(Failure::Usage(format!("no folder {shown}: correct APP_DIR")));
    }
    let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
    let advice = match ending.as_str() {
        _ if find::is_of_serverless(path) => find::SLS_PACKAGE.to_owned(),
        "yaml" | "yml" | "json" | "template" => format!("for a template write --template {shown}"),
        "tf" => format!("for Terraform files write {}", terraform_option(path)),
        "py" => match application(path, Path::new(".")) {
            Some(arguments) => format!("for the application in it write {arguments}"),
            None => "for an application write --app MODULE:ATTR".to_owned(),
        },
        _ => "APP_DIR is the folder with the template or the application".to_owned(),
    };
    Err(Failure::Usage(format!("{shown} is a file, not a folder: {advice}")))
}

/// Refuses a file in the place of an application's name, and a name that the runtime cannot read.
pub(super) fn app(app: &str, folder: &Path) -> Result<(), Failure> {
    let places = [folder.join(app), Path::new(app).to_owned()];
    let is_python = |place: &Path| place.extension().is_some_and(|ending| ending == "py");
    let file = places.iter().find(|place| is_python(place) && place.is_file());
    // Lambda reads `app.py` as the name `py` in the module `app`.
    let is_name = |source: String| look::has_name(&source, "py");
    if let Some(file) = file.filter(|file| !std::fs::read_to_string(file).is_ok_and(is_name)) {
        let advice = application(file, folder).unwrap_or_else(|| "--app MODULE:ATTR".to_owned());
        return Err(Failure::Usage(format!("--app {app} names a file, not the application in it: write {advice}")));
    }
    HandlerName::parse(app).map(drop).map_err(|error| Failure::Usage(format!("--app {app}: {}", error.message())))
}

/// The arguments for the application in a file: `--app app:app`, `src --app app:app`.
fn application(file: &Path, folder: &Path) -> Option<String> {
    let (app, elsewhere) = look::application_in(file, folder)?;
    let elsewhere = elsewhere.map(|folder| format!("{} ", folder.display())).unwrap_or_default();
    Some(format!("{elsewhere}--app {app}"))
}

/// Refuses a file in the place of Terraform's folder.
pub(super) fn terraform(path: &Path) -> Result<(), Failure> {
    if path.is_file() {
        let option = terraform_option(path);
        return Err(Failure::Usage(format!(
            "{} is a file: name the folder of the root module: {option}",
            path.display()
        )));
    }
    Ok(())
}

fn terraform_option(file: &Path) -> String {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    format!("--terraform {}", folder.display())
}

/// Refuses values for parameters that none of the templates has.
pub(super) fn parameters(given: &[(String, String)], projects: &[(String, Project)]) -> Result<(), Failure> {
    let known = || projects.iter().flat_map(|(_, project)| project.deployment.parameters.iter().map(String::as_str));
    let Some((name, _)) = given.iter().find(|(name, _)| known().all(|one| one != name)) else { return Ok(()) };
    // Not the measure that clap has for options: by that a name of one letter is like every name that has the letter.
    let distance = |one: &str| strsim::osa_distance(&one.to_lowercase(), &name.to_lowercase());
    let advice = match known().map(|one| (distance(one), one)).min() {
        Some((distance, best)) if distance <= 1 + name.len() / 4 => format!("did you mean {best}?"),
        Some(_) => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
        None => "there are no parameters".to_owned(),
    };
    Err(Failure::Usage(format!("--parameter {name}: no parameter {name}; {advice}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terraforms_folder_is_that_of_the_file() {
        assert_eq!(terraform_option(Path::new("main.tf")), "--terraform .");
        assert_eq!(terraform_option(Path::new("infra/main.tf")), "--terraform infra");
    }
}
