//! `wsgi-lambda layer arn`: where a published layer is.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::bundle::Architecture;
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::packaging::target::{LAYER_PYTHON, PythonVersion};

/// What `layer/publish` has published, as it was when this program was built.
const PUBLISHED: &str = include_str!("../../../layer/layers.json");

/// Print the ARN of a published layer
///
/// This program knows the layers that were published before it was built. The page of each release has the list of its
/// own, layers.json.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arn {
    /// The region of the function
    #[arg(long, value_name = "NAME")]
    region: String,
    /// The Python of the function
    #[arg(long, value_name = "VERSION", default_value_t = LAYER_PYTHON)]
    python: PythonVersion,
    /// The processor of the function: x86_64 or arm64
    #[arg(long, value_name = "NAME", default_value_t = Architecture::X86_64)]
    architecture: Architecture,
    /// Whose Python
    #[arg(long, value_enum, default_value_t = Flavour::Managed)]
    flavour: Flavour,
}

const EXAMPLES: &str = "\
Examples:
  For a function on python3.13, with AWS_LAMBDA_EXEC_WRAPPER=/opt/bootstrap:
    wsgi-lambda layer arn --region eu-west-1 --python 3.13
  For a function on provided.al2023:
    wsgi-lambda layer arn --region eu-west-1 --python 3.13 --flavour self-contained

Exit status:
  0  the ARN is on standard output
  1  there is no such layer
  2  wrong usage";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Flavour {
    /// AWS's Python, which the runtime takes over
    Managed,
    /// The layer's own, on provided.al2023
    SelfContained,
}

impl Flavour {
    /// Its name in `layers.json`.
    fn name(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::SelfContained => "self-contained",
        }
    }
}

/// By region, Python, processor and flavour.
type Layers = BTreeMap<String, BTreeMap<String, BTreeMap<String, BTreeMap<String, Published>>>>;

#[derive(Debug, Deserialize)]
struct Published {
    arn: String,
}

impl Arn {
    pub(super) fn run(&self, out: &mut Out) -> Result<bool, Failure> {
        out.line(self.find(PUBLISHED)?)?;
        Ok(true)
    }

    fn find(&self, published: &str) -> Result<String, Failure> {
        let unreadable = |error| Failure::Failed(format!("layers.json of this program cannot be read: {error}"));
        let layers: Layers = serde_json::from_str(published).map_err(unreadable)?;
        let Self { region, python, architecture, flavour } = self;
        let of_region = layers.get(region);
        let found = of_region
            .and_then(|pythons| pythons.get(&python.to_string())?.get(&architecture.to_string())?.get(flavour.name()));
        found.map(|layer| layer.arn.clone()).ok_or_else(|| {
            let known = match of_region {
                _ if layers.is_empty() => "no layer was published before this program was built".to_owned(),
                None => format!("no layer in the region {region}, but in {}", join(layers.keys())),
                Some(pythons) => {
                    let name = flavour.name();
                    format!("no {name} layer for Python {python} on {architecture}; {region} has {}", list(pythons))
                }
            };
            Failure::Failed(format!("{known}. {}", self.instead()))
        })
    }

    /// How to have one in one's own account.
    fn instead(&self) -> String {
        let option = if matches!(self.flavour, Flavour::Managed) { " --bootstrap-only" } else { "" };
        format!(
            "Make your own:\n  \
             wsgi-lambda layer{option} --python {} --architecture {} --output layer.zip\n  \
             aws lambda publish-layer-version --region {} --layer-name wsgi-lambda --zip-file fileb://layer.zip",
            self.python, self.architecture, self.region
        )
    }
}

fn list(pythons: &BTreeMap<String, BTreeMap<String, BTreeMap<String, Published>>>) -> String {
    let each = pythons.iter().flat_map(|(python, processors)| {
        let of_python = move |(processor, flavours): (&String, &BTreeMap<String, Published>)| {
            format!("{python} on {processor} ({})", join(flavours.keys()))
        };
        processors.iter().map(of_python)
    });
    each.collect::<Vec<_>>().join(", ")
}

fn join<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the test of `layer/publish` writes.
    const SOME: &str = include_str!("../../../tests/publish/layers.json");

    fn arn(region: &str, minor: u32, architecture: Architecture, flavour: Flavour) -> Result<String, String> {
        let arn = Arn { region: region.to_owned(), python: PythonVersion { minor }, architecture, flavour };
        arn.find(SOME).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_published_layer_is_found_by_region_python_processor_and_flavour() {
        let managed = arn("eu-west-1", 13, Architecture::X86_64, Flavour::Managed).unwrap();
        assert_eq!(managed, "arn:aws:lambda:eu-west-1:123456789012:layer:wsgi-lambda-bootstrap-python313-x86_64:1");
        let whole = arn("us-east-1", 14, Architecture::Arm64, Flavour::SelfContained).unwrap();
        assert_eq!(whole, "arn:aws:lambda:us-east-1:123456789012:layer:wsgi-lambda-python314-arm64:1");
    }

    #[test]
    fn what_is_not_published_is_told_with_what_is_and_the_way_to_ones_own() {
        let error = arn("mars-north-1", 13, Architecture::X86_64, Flavour::Managed).unwrap_err();
        assert!(error.starts_with("no layer in the region mars-north-1, but in eu-west-1, us-east-1."), "{error}");
        let error = arn("eu-west-1", 12, Architecture::Arm64, Flavour::SelfContained).unwrap_err();
        assert!(error.contains("no self-contained layer for Python 3.12 on arm64; eu-west-1 has 3.13 on x"), "{error}");
        assert!(error.contains("\n  wsgi-lambda layer --python 3.12 --architecture arm64 --output"), "{error}");
    }
}
