//! The registry: every setting of ours, one documented constant each. `bootstrap --help` prints it.

/// A setting of ours, as `bootstrap --help` and README show it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// What is in force when it is not set.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// The application, when `_HANDLER` is needed for something else.
pub const APP: Setting = Setting {
    name: "WSGI_LAMBDA_APP",
    default: "the function's handler",
    help: "The WSGI application: `module:attribute`, `module:factory()`, `module.attribute` or \
           `dir/module.attribute`. Wins over the handler.",
};
/// The mount point.
pub const BASE_PATH: Setting = Setting {
    name: "WSGI_LAMBDA_BASE_PATH",
    default: "derived from the event on REST APIs, else none",
    help: "The path under which the application is mounted, such as `/orders`. Moved from PATH_INFO to SCRIPT_NAME, \
           once, at a segment boundary, for every front end.",
};
/// Proxies in front of the front end.
pub const TRUSTED_HOPS: Setting = Setting {
    name: "WSGI_LAMBDA_TRUSTED_HOPS",
    default: "0",
    help: "How many proxies of yours stand in front of the front end and append to X-Forwarded-For (1 for CloudFront \
           before an ALB). REMOTE_ADDR is taken that many places further left.",
};
/// The claim that names the user.
pub const USER_CLAIM: Setting = Setting {
    name: "WSGI_LAMBDA_USER_CLAIM",
    default: "sub",
    help: "The claim of a verified JWT or Cognito token that becomes REMOTE_USER.",
};
/// Hop-by-hop headers.
pub const STRICT: Setting = Setting {
    name: "WSGI_LAMBDA_STRICT",
    default: "false",
    help: "`true` raises an error in the application for hop-by-hop response headers, as PEP 3333 asks; otherwise \
           they are dropped with one warning.",
};
/// Access log.
pub const ACCESS_LOG: Setting = Setting {
    name: "WSGI_LAMBDA_ACCESS_LOG",
    default: "false",
    help: "`true` writes one log line per request: method, path, status, size and time.",
};
/// How responses leave.
pub const RESPONSE_MODE: Setting = Setting {
    name: "WSGI_LAMBDA_RESPONSE_MODE",
    default: "buffered",
    help: "`stream` sends responses as the application makes them, for a Function URL with InvokeMode RESPONSE_STREAM \
           or a REST API with responseTransferMode STREAM; requests from other front ends stay buffered. It has to \
           match the front end: the event does not tell.",
};
/// The deadline watch.
pub const DEADLINE_MARGIN: Setting = Setting {
    name: "WSGI_LAMBDA_DEADLINE_MARGIN_MS",
    default: "500",
    help: "How many milliseconds before the function's timeout a request is given up: the log gets the stack of every \
           thread, the caller a 504, the application a TimeoutError. 0 leaves timeouts to the platform.",
};
/// The internal extension.
pub const SHUTDOWN: Setting = Setting {
    name: "WSGI_LAMBDA_SHUTDOWN",
    default: "false",
    help: "`true` registers an internal extension, so that the platform sends SIGTERM before it ends a sandbox: \
           `wsgi_lambda.on_shutdown` callbacks and `atexit` then have half a second. With an extension of your own \
           the signal comes anyway.",
};
/// Behind a proxy that says which host the client asked for.
pub const TRUSTED_HOST_HEADER: Setting = Setting {
    name: "WSGI_LAMBDA_TRUSTED_HOST_HEADER",
    default: "none",
    help: "A header, such as `X-Forwarded-Host`, in which a proxy of yours (CloudFront) says which host the client asked \
           for: it becomes Host, SERVER_NAME and SERVER_PORT, and the scheme is that of CloudFront-Forwarded-Proto, if \
           it is there. Off by default: whoever can call the front end past the proxy can write what they like into it.",
};
/// Behind a proxy that says under which path the client reaches the application.
pub const TRUSTED_PREFIX_HEADER: Setting = Setting {
    name: "WSGI_LAMBDA_TRUSTED_PREFIX_HEADER",
    default: "none",
    help: "A header, such as `X-Forwarded-Prefix`, in which a proxy of yours says under which path clients reach the \
           application: it becomes SCRIPT_NAME, whether or not the proxy has taken it off the path. Off by default, for \
           the same reason.",
};
/// The look at an import that takes long.
pub const INIT_STACKS: Setting = Setting {
    name: "WSGI_LAMBDA_INIT_STACKS_MS",
    default: "9000",
    help: "After how many milliseconds of importing the application the log gets the stack of every thread: Lambda gives \
           an init 10 seconds and says nothing of what it was doing. 0 for never.",
};
/// Imports that are put off.
pub const DEFER_IMPORTS: Setting = Setting {
    name: "WSGI_LAMBDA_DEFER_IMPORTS",
    default: "true",
    help: "`false` imports everything at once and leaves Python's import system and `re` exactly as they are. Otherwise \
           Werkzeug's development server, which Flask imports and no function runs, is imported when something of it \
           is used, and the standard library's regular expressions come compiled. Not with SnapStart or on Managed \
           Instances, where a start costs nobody's time.",
};
/// The profile of an init.
pub const PROFILE_INIT: Setting = Setting {
    name: "WSGI_LAMBDA_PROFILE_INIT",
    default: "none",
    help: "A file for a profile of the cold start, as JSON: what was imported, how long it took, what of it the events \
           used. `wsgi-lambda replay --profile-init` sets it and makes a report of it. A file that is there is left \
           alone.",
};
/// Virtual environment for local runs.
pub const VENV: Setting = Setting {
    name: "WSGI_LAMBDA_VENV",
    default: "none",
    help: "A virtual environment whose packages the application uses. For local runs; `wsgi-lambda replay` sets it.",
};
/// Where layers are.
pub const LAYER_DIR: Setting = Setting {
    name: "WSGI_LAMBDA_LAYER_DIR",
    default: "/opt",
    help: "Where Lambda unpacks layers; their `python` folders are importable. For local runs.",
};

/// All settings, in the order in which they are shown.
pub const SETTINGS: [Setting; 16] = [
    APP,
    BASE_PATH,
    TRUSTED_HOPS,
    USER_CLAIM,
    TRUSTED_HOST_HEADER,
    TRUSTED_PREFIX_HEADER,
    RESPONSE_MODE,
    DEADLINE_MARGIN,
    SHUTDOWN,
    STRICT,
    ACCESS_LOG,
    INIT_STACKS,
    DEFER_IMPORTS,
    PROFILE_INIT,
    VENV,
    LAYER_DIR,
];

/// The prefix of every setting of ours.
pub const PREFIX: &str = "WSGI_LAMBDA_";
