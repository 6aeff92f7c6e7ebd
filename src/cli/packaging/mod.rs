//! What the command line knows of Python packaging, in one place: `package`, `doctor` and `layer` ask here, and have no
//! rules of their own on tags, names, distributions or shared libraries.
//!
//! [`target`] says where files will run, [`unfit`] why one does not fit there. [`tags`], [`modules`] and [`libraries`]
//! judge by a wheel's tag, by a file's name and by its contents. [`dists`] reads what installers write, [`requirements`]
//! what applications require, and [`elsewhere`] finds what is required in files that nobody named. [`interpreter`] finds a
//! Python here. Nothing here knows an option or a finding.

pub(super) mod dists;
pub(super) mod elsewhere;
pub(super) mod interpreter;
pub(super) mod libraries;
pub(super) mod modules;
pub(super) mod requirements;
pub(super) mod tags;
pub(super) mod target;
pub(super) mod unfit;
