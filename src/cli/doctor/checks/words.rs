//! How a fix is written: in the language of the files, at the place of the property.

use crate::cli::doctor::model::{Deployment, Dialect, Function};
use crate::cli::doctor::node::{Field, Place};

/// How a variable is set in the language of the files.
pub(super) fn set_variable(deployment: &Deployment, name: &str, value: &str) -> String {
    match deployment.dialect {
        Dialect::Terraform => format!("environment {{ variables = {{ {name} = \"{value}\" }} }}"),
        _ => format!("Environment: {{Variables: {{{name}: {value}}}}}"),
    }
}

/// How a property is written: `Timeout: 29`, `timeout = 29`.
pub(super) fn set(deployment: &Deployment, cloudformation: &str, terraform: &str, value: &str) -> String {
    match deployment.dialect {
        Dialect::Terraform => format!("{terraform} = {value}"),
        _ => format!("{cloudformation}: {value}"),
    }
}

/// The line of a property, else the first line of its resource.
pub(super) fn place<'a, T>(field: &'a Field<T>, function: &'a Function) -> &'a Place {
    field.place().unwrap_or(&function.at)
}
