//! All `unsafe` of the house: the interpreter's start and what pyo3 has no safe call for, each behind a safe function.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, FromRawFd as _, RawFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::interpreter::Home;
use crate::sync::lock;

/// Starts CPython on this thread and leaves it detached, which is the state that `Python::attach` starts from. Without
/// `site`, [`want_site`] has to be called before `glue/start.py` imports it.
pub(super) fn start(home: &Home, site: bool) -> Result<(), String> {
    let mut pre = MaybeUninit::<ffi::PyPreConfig>::zeroed();
    let mut config = MaybeUninit::<ffi::PyConfig>::zeroed();
    // SAFETY: `with_interpreter` calls this once, before any other use of Python. Both structs are initialised by their
    // own functions before a field is touched, and CPython copies what it is given.
    unsafe {
        ffi::PyPreConfig_InitPythonConfig(pre.as_mut_ptr());
        let pre = pre.assume_init_mut();
        pre.parse_argv = 0; // our arguments are not Python's
        // Lambda's LANG names a locale that its images do not have. Without this, files and streams would be ASCII.
        pre.utf8_mode = 1;
        check(ffi::Py_PreInitialize(pre))?;

        ffi::PyConfig_InitPythonConfig(config.as_mut_ptr());
        let config = config.assume_init_mut();
        let started = configure(config, home, site).and_then(|()| check(ffi::Py_InitializeFromConfig(config)));
        ffi::PyConfig_Clear(config);
        started?;
        ffi::PyEval_SaveThread();
    }
    Ok(())
}

/// Has `sys.flags` say that `site` is imported, for a profile, which has `glue/start.py` import it: `site` itself asks, and
/// `subprocess` and `multiprocessing` start Python with the flags that they find there.
pub(super) fn want_site(py: Python<'_>) -> PyResult<()> {
    let flags = py.import("sys")?.getattr("flags")?;
    let place = flags.getattr("__match_args__")?.call_method1("index", ("no_site",))?.extract()?;
    let no = 0_i32.into_pyobject(py)?;
    // SAFETY: a struct sequence is a tuple, and the place is that of one of its fields. Nobody has had a look at it yet.
    unsafe { ffi::PyStructSequence_SetItem(flags.as_ptr(), place, no.into_ptr()) };
    Ok(())
}

/// What `compile_glue.py` has marshalled for this Python: read where it stands, without the copy that `marshal.loads` would
/// be given. Nothing else is safe to execute.
pub(super) fn unmarshal<'py>(py: Python<'py>, data: &'static [u8]) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the bytes are part of this binary, and their magic number was compared. The function reads no further than
    // them, and gives a new reference or sets an exception.
    unsafe {
        let object = ffi::PyMarshal_ReadObjectFromString(data.as_ptr().cast(), data.len().cast_signed());
        Bound::from_owned_ptr_or_err(py, object)
    }
}

/// Has malloc keep the memory of one request for the next. By itself glibc gives buffers of a megabyte back to the kernel
/// and gets them again, page after page, which is half of the time of a request with such a body (mallopt(3)). What a
/// sandbox has is paid for whether it is used or not.
pub(super) fn keep_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the calls change limits of the allocator and nothing else.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20); // the highest that it takes
        libc::mallopt(libc::M_TRIM_THRESHOLD, 64 << 20);
    }
}

fn configure(config: &mut ffi::PyConfig, home: &Home, site: bool) -> Result<(), String> {
    config.parse_argv = 0; // as above
    config.use_environment = 1; // PYTHONPATH, PYTHONWARNINGS, PYTHONHASHSEED … mean here what they mean elsewhere
    config.buffered_stdio = 0; // a frozen or killed sandbox must not keep output back
    config.site_import = site.into();
    config.write_bytecode = 0; // /var/task and /opt are read-only: trying costs system calls for every module
    config.install_signal_handlers = 0; // Ctrl-C ends `wsgi-lambda replay` at once; see `glue/start.py`
    config.pathconfig_warnings = 0; // a missing exec_prefix is no news in a layer
    let mut argv = [c"bootstrap".as_ptr()];
    // SAFETY: `config` is initialised (the caller's business, and a reference says so); the strings live until the
    // calls return, and the calls copy them.
    unsafe {
        if let Some(text) = &home.executable {
            // sys.executable, for subprocesses. With a virtual environment it is also how Python finds out that it is
            // in one (PEP 405).
            let field = &raw mut config.executable;
            check(ffi::PyConfig_SetBytesString(config, field, c_string(text)?.as_ptr()))?;
        }
        if let Some(text) = &home.prefix {
            // Else Python would look for its library beside the `python3` on PATH, or obey PYTHONHOME.
            let field = &raw mut config.home;
            check(ffi::PyConfig_SetBytesString(config, field, c_string(text)?.as_ptr()))?;
        }
        // sys.argv[0]: some libraries read it, and an empty list fails them.
        check(ffi::PyConfig_SetBytesArgv(config, 1, argv.as_mut_ptr()))
    }
}

fn check(status: ffi::PyStatus) -> Result<(), String> {
    // SAFETY: the call only reads the struct; its message, when there is one, is a static C string.
    unsafe {
        if ffi::PyStatus_Exception(status) == 0 {
            Ok(())
        } else if status.err_msg.is_null() {
            Err(format!("exit status {}", status.exitcode))
        } else {
            Err(CStr::from_ptr(status.err_msg).to_string_lossy().into_owned())
        }
    }
}

fn c_string(text: &std::path::Path) -> Result<CString, String> {
    use std::os::unix::ffi::OsStrExt as _;
    CString::new(text.as_os_str().as_bytes()).map_err(|_| format!("{} has a NUL in it", text.display()))
}

/// Bytes as a native string: each byte the character of Latin-1 (PEP 3333, "Unicode Issues"). pyo3 has no call for it,
/// and `PyString::new` of the widened text is measurably slower.
pub(super) fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    let length = isize::try_from(bytes.len())?;
    // SAFETY: pointer and length are those of a live slice; the call gives a new reference to a str, or NULL with an
    // exception set, which is what `from_owned_ptr_or_err` expects.
    unsafe {
        let text = ffi::PyUnicode_DecodeLatin1(bytes.as_ptr().cast(), length, std::ptr::null());
        Ok(Bound::from_owned_ptr_or_err(py, text)?.cast_into_unchecked())
    }
}

/// How many trace ids stay readable: for code in another thread that holds what getenv(3) gave it.
const TRACE_IDS: usize = 16;

/// Memory that the environment points into, used in turn.
static TRACE_ID_SLOTS: Mutex<(usize, [Vec<u8>; TRACE_IDS])> = Mutex::new((0, [const { Vec::new() }; TRACE_IDS]));

/// Puts `_X_AMZN_TRACE_ID` into the environment of this process, for C code and for children. What `os.environ` would
/// call, setenv(3), keeps a copy of every value that it was ever given (glibc, `stdlib/setenv.c`): more than 100 bytes a
/// request, for ever. putenv(3) takes memory of ours, which is written to again.
pub(super) fn put_trace_id(value: &str) {
    let mut slots = lock(&TRACE_ID_SLOTS);
    let (turn, slots) = &mut *slots;
    *turn = (*turn + 1) % TRACE_IDS;
    let text = ["_X_AMZN_TRACE_ID=", value, "\0"];
    let length = text.iter().map(|part| part.len()).sum();
    if slots[*turn].capacity() < length {
        // The environment may still point to the old one: it is given up, once for each size that is larger.
        std::mem::forget(std::mem::replace(&mut slots[*turn], Vec::with_capacity(length.next_power_of_two())));
    }
    let slot = &mut slots[*turn];
    slot.clear();
    for part in text {
        slot.extend_from_slice(part.as_bytes());
    }
    // SAFETY: the memory holds a C string and is never freed; it is written to again only after the environment has been
    // pointed to each of the other slots.
    unsafe {
        libc::putenv(slot.as_mut_ptr().cast());
    }
}

/// A thread of this process that lives as long as the process: the main one.
pub(super) type Thread = libc::pthread_t;

/// The calling thread.
pub(super) fn this_thread() -> Thread {
    // SAFETY: the call has no precondition.
    unsafe { libc::pthread_self() }
}

/// Has the handler of `glue/deadline.py` run in a thread.
pub(super) fn interrupt(thread: Thread) {
    // SAFETY: the thread is the main one, which ends with the process; the signal has a handler.
    unsafe {
        libc::pthread_kill(thread, interrupt_signal());
    }
}

/// Set in a child that this process forks, by whatever code forks it.
static FORKED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether the fork that this thread is about to make is Python's, and SIGTERM has the runtime's handler.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    /// The thread's signals before such a fork.
    static SIGNALS: Cell<Option<libc::sigset_t>> = const { Cell::new(None) };
}

/// Has the next fork of this thread give the child SIGTERM's default, without losing one that comes at the same moment.
pub(super) fn guard_fork() {
    GUARDED.set(true);
}

extern "C" fn before_fork() {
    if GUARDED.get() {
        // SAFETY: the sets are initialised by the calls that get them.
        SIGNALS.set(Some(unsafe {
            let (mut term, mut before) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigemptyset(&raw mut term);
            libc::sigaddset(&raw mut term, libc::SIGTERM);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const term, &raw mut before);
            before
        }));
    }
}

extern "C" fn after_fork() {
    GUARDED.set(false);
    if let Some(before) = SIGNALS.take() {
        // SAFETY: the set is the one that the thread had.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        }
    }
}

extern "C" fn become_child() {
    FORKED.store(true, Ordering::Relaxed);
    if GUARDED.get() {
        // SAFETY: the handler was the runtime's, which is not for children; Python is told by `glue/lifecycle.py`.
        unsafe {
            libc::signal(libc::SIGTERM, libc::SIG_DFL);
        }
    }
    after_fork();
}

/// From here on [`is_forked`] tells the process from children of it.
pub(super) fn watch_forks() {
    // SAFETY: the handlers make system calls and store to memory of their own thread, which is allowed in a child of a
    // process with threads.
    unsafe {
        libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(become_child));
    }
}

/// Whether this process is a child of the one that was started.
pub fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// This child is meant to serve.
pub(super) fn adopt_fork() {
    FORKED.store(false, Ordering::Relaxed);
}

/// Ends a child that must not do its parent's work a second time, without running what the parent has registered for
/// its own end.
pub(super) fn leave_child() -> ! {
    // SAFETY: the call only ends the process.
    unsafe { libc::_exit(1) }
}

/// Has the kernel end this process when its parent ends in a way that leaves nobody to tell it.
pub(super) fn end_with_parent() {
    // SAFETY: the call changes an attribute of this process and nothing else.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

/// The signals of the deadline: real-time ones that nothing else uses.
pub(super) fn stacks_signal() -> i32 {
    libc::SIGRTMAX() - 2
}

/// See [`stacks_signal`].
pub(super) fn interrupt_signal() -> i32 {
    libc::SIGRTMAX() - 3
}

/// A file in memory.
pub fn file_in_memory() -> std::io::Result<File> {
    // SAFETY: the name is a C string; the descriptor, when there is one, is new and nobody else's.
    unsafe {
        match libc::memfd_create(c"stacks".as_ptr(), libc::MFD_CLOEXEC) {
            -1 => Err(std::io::Error::last_os_error()),
            descriptor => Ok(File::from_raw_fd(descriptor)),
        }
    }
}

/// Has `faulthandler`'s handler (`glue/deadline.py`) write the stacks of all threads to a file, in a copy of this process.
/// It reads frames without the GIL: in the process itself that could be a crash, since other threads may change them.
pub(super) fn write_stacks_in_a_copy(file: &File, patience: Duration) {
    let step = Duration::from_millis(5);
    // SAFETY: clone without flags is fork(2) without handlers of libraries, and without a signal at its end that the
    // application would see. The copy has one thread, makes system calls, and runs a signal handler that is made to run in
    // a crashed process. It leaves by _exit. The parent waits for this very child.
    unsafe {
        let pid = libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0);
        if pid == 0 {
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
            for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT] {
                libc::signal(signal, libc::SIG_DFL); // a crash here says nothing
            }
            libc::dup2(file.as_raw_fd(), libc::STDERR_FILENO);
            libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::syscall(libc::SYS_gettid), stacks_signal());
            libc::_exit(0);
        }
        let Some(pid) = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0) else { return };
        let mut waited = Duration::ZERO;
        while libc::waitpid(pid, std::ptr::null_mut(), libc::__WALL | libc::WNOHANG) == 0 {
            if waited >= patience {
                libc::kill(pid, libc::SIGKILL);
            }
            std::thread::sleep(step);
            waited += step;
        }
    }
}

/// Ends this process without what libraries have registered for its end: other threads of the application may be at work in
/// them (exit(3), atexit(3)).
pub fn leave(status: u8) -> ! {
    // SAFETY: the call only ends the process.
    unsafe { libc::_exit(status.into()) }
}

/// Gives signals the meaning that they have in a Python program. One at a file that grows beyond a limit is ignored, as by
/// Python's own start, so that writing fails. Rust's handlers for crashes go: they let a process live on that was sent
/// such a signal, and `faulthandler` says more.
pub(super) fn prepare_signals() {
    // SAFETY: the calls set dispositions, before anybody else has set them.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::signal(libc::SIGSEGV, libc::SIG_DFL);
        libc::signal(libc::SIGBUS, libc::SIG_DFL);
    }
}

/// The file behind a descriptor that is this process's to own.
pub fn file_of_descriptor(descriptor: RawFd) -> Option<File> {
    // SAFETY: fcntl with F_GETFD changes nothing and fails on a descriptor that is not open. An open one was handed to
    // this process by name (`_LAMBDA_TELEMETRY_LOG_FD`) or made for this call: nothing else owns or closes it.
    unsafe { (libc::fcntl(descriptor, libc::F_GETFD) >= 0).then(|| File::from_raw_fd(descriptor)) }
}
