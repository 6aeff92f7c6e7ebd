//! Room: `cli`, one file per subcommand.
