//! Findings as text for people, and as JSON for programs.

use serde_json::json;

use super::checks::CHECKS;
use super::finding::{Finding, Findings, Severity};
use crate::cli::failure::Failure;
use crate::cli::out::{BOLD, CYAN, DIM, GREEN, Out, RED, YELLOW};

/// The length of a line of text.
const WIDTH: usize = 100;

fn style(severity: Severity) -> anstyle::Style {
    match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Note => CYAN,
    }
}

/// What was checked.
pub(super) struct Subject {
    /// Files and applications, by name.
    pub(super) names: Vec<String>,
    pub(super) functions: usize,
    pub(super) python: Option<u32>,
}

/// Every finding, and the last line. Findings of one check have its explanation once.
pub(super) fn findings(findings: &Findings, subject: &Subject, out: &mut Out) -> Result<(), Failure> {
    let shown = |finding: &&Finding| !out.quiet() || finding.severity == Severity::Error;
    for group in groups(findings.list.iter().filter(shown)) {
        match group.as_slice() {
            [finding] => one(finding, out)?,
            several => many(several, out)?,
        }
    }
    out.line(summary(findings, subject))?;
    Ok(())
}

/// Findings of the same check and severity, in the order of the first of each.
fn groups<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Vec<&'a Finding>> {
    by(findings, |one, other| (one.severity, one.check.id) == (other.severity, other.check.id))
}

fn by<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    is_equal: impl Fn(&Finding, &Finding) -> bool,
) -> Vec<Vec<&'a Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| is_equal(first, finding))) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

fn one(finding: &Finding, out: &mut Out) -> Result<(), Failure> {
    let style = style(finding.severity);
    out.line(format_args!(
        "{style}{}{style:#} {BOLD}{}{BOLD:#}{}",
        finding.severity.word(),
        finding.check.id,
        place(finding)
    ))?;
    paragraph("", &finding.what, out)?;
    paragraph("Why: ", finding.check.why, out)?;
    paragraph("Fix: ", &finding.fix, out)?;
    out.line("")?;
    Ok(())
}

/// `  template.yaml:4  App`
fn place(finding: &Finding) -> String {
    let at = finding.at.as_ref().map(|at| format!("  {at}")).unwrap_or_default();
    let resource = if finding.resource.is_empty() { String::new() } else { format!("  {}", finding.resource) };
    format!("{at}{DIM}{resource}{DIM:#}")
}

/// Several findings of a check: what is the same is said once, with the places below it.
fn many(findings: &[&Finding], out: &mut Out) -> Result<(), Failure> {
    let Some(first) = findings.first() else { return Ok(()) };
    let style = style(first.severity);
    let (word, id, count) = (first.severity.word(), first.check.id, findings.len());
    out.line(format_args!("{style}{word}{style:#} {BOLD}{id}{BOLD:#}  {count} places"))?;
    let fixes = by(findings.iter().copied(), |one, other| one.fix == other.fix);
    for group in &fixes {
        for same in by(group.iter().copied(), |one, other| one.what == other.what) {
            paragraph("", same.first().map_or("", |finding| &finding.what), out)?;
            for finding in same {
                out.line(format_args!("  {}", place(finding)))?;
            }
        }
        if fixes.len() > 1 {
            paragraph("Fix: ", group.first().map_or("", |finding| &finding.fix), out)?;
        }
    }
    paragraph("Why: ", first.check.why, out)?;
    if fixes.len() == 1 {
        paragraph("Fix: ", &first.fix, out)?;
    }
    out.line("")?;
    Ok(())
}

fn paragraph(label: &str, text: &str, out: &mut Out) -> Result<(), Failure> {
    for (index, line) in wrapped(text, WIDTH - 2 - label.len()).iter().enumerate() {
        let label = if index == 0 { label.to_owned() } else { " ".repeat(label.len()) };
        out.line(format_args!("  {DIM}{label}{DIM:#}{line}"))?;
    }
    Ok(())
}

/// A text in lines, broken between words. Control characters are escaped: a message may come from anywhere.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word: String = word
            .chars()
            .flat_map(|char| {
                let shown: Vec<char> = if char.is_control() { char.escape_default().collect() } else { vec![char] };
                shown
            })
            .collect();
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

fn summary(findings: &Findings, subject: &Subject) -> String {
    let counted = |severity: Severity| {
        let count = findings.count(severity);
        let plural = if count == 1 { "" } else { "s" };
        let style = style(severity);
        (count > 0).then(|| format!("{style}{count} {}{plural}{style:#}", severity.word()))
    };
    let counts: Vec<_> = [Severity::Error, Severity::Warning, Severity::Note].into_iter().filter_map(counted).collect();
    let counts = if counts.is_empty() { format!("{GREEN}nothing found{GREEN:#}") } else { counts.join(", ") };
    let functions = match subject.functions {
        1 => "1 function".to_owned(),
        count => format!("{count} functions"),
    };
    let python = subject.python.map(|minor| format!(", started with python3.{minor}")).unwrap_or_default();
    format!("{BOLD}{}{BOLD:#} ({functions}{python}): {counts}", subject.names.join(", "))
}

/// The same as one JSON document.
pub(super) fn as_json(findings: &Findings, subject: &Subject, out: &mut Out) -> Result<(), Failure> {
    let document = json!({
        "checked": subject.names,
        "functions": subject.functions,
        "errors": findings.count(Severity::Error),
        "warnings": findings.count(Severity::Warning),
        "notes": findings.count(Severity::Note),
        "findings": findings.list.iter().map(Finding::to_json).collect::<Vec<_>>(),
    });
    out.raw(format!("{document:#}").as_bytes())?;
    Ok(())
}

/// Every check, with its explanation.
pub(super) fn list(out: &mut Out) -> Result<(), Failure> {
    for check in CHECKS {
        let style = style(check.severity);
        out.line(format_args!("{BOLD}{}{BOLD:#}  {style}{}{style:#}", check.id, check.severity.word()))?;
        let mut title = check.title.to_owned();
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        paragraph("", &format!("{title}."), out)?;
        paragraph("", check.why, out)?;
        out.line("")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("averylongword x", 4), ["averylongword", "x"]);
        assert_eq!(wrapped("a\u{1b}b\nc", 20), ["a\\u{1b}b c"]);
    }
}
