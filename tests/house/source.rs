//! The modules of a crate with the paths that their code names, read from its tokens, unit tests left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// `["crate", "json", "Document"]`
pub(crate) type Names = Vec<String>;
type Tokens = Peekable<IntoIter<TokenTree>>;

/// A name that a `use` brings into a module. `*` stands for all names.
pub(crate) struct Use {
    pub(crate) alias: String,
    pub(crate) path: Names,
    pub(crate) public: bool,
}

#[derive(Default)]
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    pub(crate) uses: Vec<Use>,
    /// Paths of two names and more, outside of `use`.
    pub(crate) paths: BTreeSet<Names>,
    /// Names that stand alone.
    pub(crate) words: BTreeSet<String>,
    /// Items of the module.
    pub(crate) defined: BTreeSet<String>,
}

/// Modules by their path; the crate's root has the empty one.
pub(crate) type Modules = BTreeMap<Names, Module>;

/// Reads a crate from its root, `lib.rs` or what a binary calls its own.
pub(crate) fn read(root: &Path) -> Modules {
    let mut modules = Modules::new();
    read_file(root, root.parent().unwrap(), Names::new(), &mut modules);
    modules
}

/// `folder` is where the files of the module's children are.
fn read_file(file: &Path, folder: &Path, path: Names, modules: &mut Modules) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    Reader { file, folder, modules }.module(path, tokens);
}

struct Reader<'a> {
    file: &'a Path,
    folder: &'a Path,
    modules: &'a mut Modules,
}

impl Reader<'_> {
    fn module(&mut self, path: Names, tokens: TokenStream) {
        let mut module = Module { file: self.file.to_owned(), ..Module::default() };
        self.tokens(&path, tokens, &mut module);
        self.modules.insert(path, module);
    }

    fn tokens(&mut self, path: &[String], tokens: TokenStream, module: &mut Module) {
        let mut tokens = tokens.into_iter().collect::<Vec<_>>().into_iter().peekable();
        // What stood before: a name, a group, or signs in a row.
        let (mut last, mut public) = (String::new(), false);
        while let Some(token) = tokens.next() {
            let text = token.to_string();
            let run = if punctuation(&last) && punctuation(&text) { last.clone() + &text } else { text.clone() };
            match token {
                TokenTree::Group(group) if last.ends_with('#') && is_test(&group.stream()) => skip_item(&mut tokens),
                TokenTree::Group(group) => self.tokens(path, group.stream(), module),
                TokenTree::Ident(_) if last.ends_with('\'') => {}
                TokenTree::Ident(_) if text == "use" && !next_is(&mut tokens, "<") => {
                    use_tree(&mut tokens, &Names::new(), public, &mut module.uses);
                }
                TokenTree::Ident(_) if text == "mod" => self.child(path, &mut tokens),
                TokenTree::Ident(_) => name(text.clone(), &last, &mut tokens, module),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            // `pub(crate) use`: the group says nothing of its own.
            public = text == "pub" || (public && text.starts_with('('));
            last = run;
        }
    }

    fn child(&mut self, parent: &[String], tokens: &mut Tokens) {
        let name = tokens.next().unwrap().to_string();
        let path = [parent, std::slice::from_ref(&name)].concat();
        let folder = self.folder.join(&name);
        if let Some(TokenTree::Group(inline)) = tokens.next() {
            Reader { file: self.file, folder: &folder, modules: self.modules }.module(path, inline.stream());
            return;
        }
        let (single, first) = (folder.with_extension("rs"), folder.join("mod.rs"));
        read_file(if single.exists() { &single } else { &first }, &folder, path, self.modules);
    }
}

fn punctuation(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_punctuation() && byte != b'_')
}

fn is_test(attribute: &TokenStream) -> bool {
    attribute.to_string().replace(' ', "") == "cfg(test)"
}

/// To the end of what a `#[cfg(test)]` stands before.
fn skip_item(tokens: &mut Tokens) {
    let braces = |group: &proc_macro2::Group| group.delimiter() == Delimiter::Brace;
    tokens.find(|token| match token {
        TokenTree::Group(group) => braces(group),
        token => token.to_string() == ";",
    });
}

fn next_is(tokens: &mut Tokens, text: &str) -> bool {
    tokens.peek().is_some_and(|token| token.to_string() == text)
}

/// Whether `::` comes next, which is then taken.
fn separator(tokens: &mut Tokens) -> bool {
    let joint =
        |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ':' && p.spacing() == Spacing::Joint);
    tokens.next_if(joint).is_some_and(|_| tokens.next_if(|token| token.to_string() == ":").is_some())
}

/// Reads one tree, to its `;`, its `,` or the end of its braces.
fn use_tree(tokens: &mut Tokens, prefix: &[String], public: bool, uses: &mut Vec<Use>) {
    let mut path = prefix.to_vec();
    let mut alias = None;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let mut inner = group.stream().into_iter().collect::<Vec<_>>().into_iter().peekable();
                while inner.peek().is_some() {
                    use_tree(&mut inner, &path, public, uses);
                }
                path.clear();
            }
            TokenTree::Ident(word) if word == "as" => alias = tokens.next().map(|alias| alias.to_string()),
            TokenTree::Punct(punct) if matches!(punct.as_char(), ';' | ',') => break,
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            token => path.push(token.to_string()),
        }
    }
    // `use a::{self}` is `use a`.
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    if let Some(last) = path.last() {
        uses.push(Use { alias: alias.unwrap_or_else(|| last.clone()), path, public });
    }
}

/// A path in the code from its first name, or a name alone.
fn name(first: String, before: &str, tokens: &mut Tokens, module: &mut Module) {
    if matches!(before, "fn" | "struct" | "enum" | "union" | "const" | "static" | "type" | "trait") {
        module.defined.insert(first);
        return;
    }
    let mut path = vec![first];
    while separator(tokens) {
        let Some(next) = tokens.next_if(|token| matches!(token, TokenTree::Ident(_))) else { break };
        path.push(next.to_string());
    }
    let field = before.ends_with('.') && !before.ends_with("..");
    if before.ends_with(">::") || field {
        // `<T as Trait>::name` and `Vec::<T>::name` have begun before.
    } else if path.len() > 1 {
        module.paths.insert(path);
    } else {
        module.words.extend(path);
    }
}
