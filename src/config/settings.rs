//! All settings of ours, each one documented constant. `bootstrap --help` prints them.

/// A setting, as `bootstrap --help` and README show it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// The value if it is not set.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// The application, if `_HANDLER` is needed for something else.
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
    help: "The path under which the application is mounted, such as `/orders`. It is moved from PATH_INFO to SCRIPT_NAME \
           for every front end: once, and only as whole segments.",
};
/// Proxies before the front end.
pub const TRUSTED_HOPS: Setting = Setting {
    name: "WSGI_LAMBDA_TRUSTED_HOPS",
    default: "0",
    help: "How many proxies of yours are before the front end and append to X-Forwarded-For (1 for CloudFront before an \
           ALB). REMOTE_ADDR is taken that many places further left.",
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
           they are left out with one warning.",
};
/// Access log.
pub const ACCESS_LOG: Setting = Setting {
    name: "WSGI_LAMBDA_ACCESS_LOG",
    default: "false",
    help: "`true` writes one log line per request: method, path, status, size and time.",
};
/// How responses are sent.
pub const RESPONSE_MODE: Setting = Setting {
    name: "WSGI_LAMBDA_RESPONSE_MODE",
    default: "buffered",
    help: "`stream` sends responses as the application makes them, for a Function URL with InvokeMode RESPONSE_STREAM \
           or a REST API with responseTransferMode STREAM; requests from other front ends stay buffered. It has to \
           match the front end's own setting: the event does not show it.",
};
/// Compression.
pub const COMPRESS: Setting = Setting {
    name: "WSGI_LAMBDA_COMPRESS",
    default: "false",
    help: "`true` compresses text, JSON and the like from 1 kB on, by zstd or gzip, as the client's Accept-Encoding says. A \
           compressed body is binary: a REST API that does not stream needs `*/*` among its binaryMediaTypes.",
};
/// The deadline watch.
pub const DEADLINE_MARGIN: Setting = Setting {
    name: "WSGI_LAMBDA_DEADLINE_MARGIN_MS",
    default: "500",
    help: "How many milliseconds before the function's timeout a request is given up. The caller gets a 504, the \
           application a TimeoutError, and the log the stack of every thread. 0 leaves timeouts to the platform.",
};
/// The internal extension.
pub const SHUTDOWN: Setting = Setting {
    name: "WSGI_LAMBDA_SHUTDOWN",
    default: "false",
    help: "`true` registers an internal extension, so that the platform sends SIGTERM before it ends a sandbox: \
           `wsgi_lambda.on_shutdown` callbacks and `atexit` then have half a second. If the function has \
           another extension, the signal comes anyway.",
};
/// The host, from a trusted proxy.
pub const TRUSTED_HOST_HEADER: Setting = Setting {
    name: "WSGI_LAMBDA_TRUSTED_HOST_HEADER",
    default: "none",
    help: "A header, such as `X-Forwarded-Host`, in which a proxy of yours (CloudFront) says which host the client asked \
           for. It becomes Host, SERVER_NAME and SERVER_PORT, and CloudFront-Forwarded-Proto, if it is there, becomes \
           the scheme. Off by default, because a client that can reach the front end without the proxy can set the \
           header to anything.",
};
/// The mount point, from a trusted proxy.
pub const TRUSTED_PREFIX_HEADER: Setting = Setting {
    name: "WSGI_LAMBDA_TRUSTED_PREFIX_HEADER",
    default: "none",
    help: "A header, such as `X-Forwarded-Prefix`, in which a proxy of yours says under which path clients reach the \
           application. It becomes SCRIPT_NAME, whether or not the proxy has taken it off the path. Off by default, for \
           the same reason.",
};
/// The stacks of an import that takes long.
pub const INIT_STACKS: Setting = Setting {
    name: "WSGI_LAMBDA_INIT_STACKS_MS",
    default: "9000",
    help: "After how many milliseconds the log gets the stack of every thread, if the application is still being imported. \
           Lambda ends an init after 10 seconds, and does not say what it was doing. 0 for never.",
};
/// Deferred imports.
pub const DEFER_IMPORTS: Setting = Setting {
    name: "WSGI_LAMBDA_DEFER_IMPORTS",
    default: "true",
    help: "`false` imports everything at once and leaves Python's import system and `re` as they are. Otherwise \
           Werkzeug's development server, which Flask imports and no function runs, is imported when it is first used, \
           and the standard library's regular expressions come compiled. Always off with SnapStart and on Managed \
           Instances, where no request waits for the init.",
};
/// Python's own lazy imports.
pub const LAZY_IMPORTS: Setting = Setting {
    name: "WSGI_LAMBDA_LAZY_IMPORTS",
    default: "false",
    help: "`true` makes the imports of the application and its packages lazy, as Python 3.15's `-X lazy_imports=all` does \
           (PEP 810): a module is imported when one of its names is first used, which may be in a request. An error on older \
           Pythons.",
};
/// The profile of an init.
pub const PROFILE_INIT: Setting = Setting {
    name: "WSGI_LAMBDA_PROFILE_INIT",
    default: "none",
    help: "A file for a profile of the cold start, as JSON: what was imported, how long it took, and what the events \
           used of it. `wsgi-lambda replay --profile-init` sets it and makes a report of it. An existing file is not \
           overwritten.",
};
/// The functions for events that are not HTTP requests.
pub const EVENT_HANDLER: Setting = Setting {
    name: "WSGI_LAMBDA_EVENT_HANDLER",
    default: "none",
    help: "The function for events that are not HTTP requests, `module:function`: it is called with event and context, \
           as any Lambda handler. Or one for each source, `sqs=jobs:run, websocket=chat:route`, and one without a source \
           for all others. Without it such events are errors.",
};
/// The path for events that are not HTTP requests.
pub const EVENT_PATH: Setting = Setting {
    name: "WSGI_LAMBDA_EVENT_PATH",
    default: "none",
    help: "A path, such as `/events`, to which an event that is not an HTTP request and has no function is posted: a request \
           with the event's JSON as its body. A status of 400 or more is an error of the invocation. Clients of a front end \
           get a 404 for this path.",
};
/// Pings.
pub const WARMUP: Setting = Setting {
    name: "WSGI_LAMBDA_WARMUP",
    default: "false",
    help: "`true` answers events that only keep the function warm, without the application: those of \
           serverless-plugin-warmup and Zappa, `{\"warmer\": true}`, and schedules that have no function.",
};
/// Commands.
pub const COMMANDS: Setting = Setting {
    name: "WSGI_LAMBDA_COMMANDS",
    default: "false",
    help: "`true` runs commands for whoever may invoke the function directly: those of `wsgi-lambda manage`, `flask`, `exec` \
           and `run`, of serverless-wsgi and of Zappa. Nothing that comes through a front end is a command.",
};
/// The virtual environment for local runs.
pub const VENV: Setting = Setting {
    name: "WSGI_LAMBDA_VENV",
    default: "none",
    help: "A virtual environment whose packages the application uses. For local runs; `wsgi-lambda replay` sets it.",
};
/// The folder of the layers.
pub const LAYER_DIR: Setting = Setting {
    name: "WSGI_LAMBDA_LAYER_DIR",
    default: "/opt",
    help: "Where Lambda unpacks layers; their `python` folders are importable. For local runs.",
};

/// All settings, in the order in which they are shown.
pub const SETTINGS: [Setting; 22] = [
    APP,
    BASE_PATH,
    TRUSTED_HOPS,
    USER_CLAIM,
    TRUSTED_HOST_HEADER,
    TRUSTED_PREFIX_HEADER,
    RESPONSE_MODE,
    COMPRESS,
    DEADLINE_MARGIN,
    SHUTDOWN,
    STRICT,
    ACCESS_LOG,
    EVENT_HANDLER,
    EVENT_PATH,
    WARMUP,
    COMMANDS,
    INIT_STACKS,
    DEFER_IMPORTS,
    LAZY_IMPORTS,
    PROFILE_INIT,
    VENV,
    LAYER_DIR,
];

/// The prefix of every setting of ours.
pub const PREFIX: &str = "WSGI_LAMBDA_";

/// No setting: workers are forked before the application is imported. The runtime sets this itself before it starts again, on
/// Managed Instances, for an application that starts threads at import.
pub const FORK_FIRST: &str = "_WSGI_LAMBDA_FORK_FIRST";

/// No setting: the file to which the runtime writes how long the import of the application took, in microseconds. `serve` sets
/// it, for the inspector.
pub const IMPORT_TIME: &str = "_WSGI_LAMBDA_IMPORT_TIME";
