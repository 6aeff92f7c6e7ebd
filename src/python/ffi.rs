//! All `unsafe` code of the library: the interpreter's start, and calls of CPython and libc that have no safe form.
//! Each is wrapped in a safe function.
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

/// Starts CPython on this thread and leaves the thread detached, as `Python::attach` expects it. `site` is whether
/// Python imports the module `site` at its start; if not, [`want_site`] has to be called before `glue/start.py` imports
/// it.
///
/// # Errors
/// CPython's message.
pub(super) fn start(home: &Home, site: bool) -> Result<(), String> {
    let mut pre = MaybeUninit::<ffi::PyPreConfig>::zeroed();
    let mut config = MaybeUninit::<ffi::PyConfig>::zeroed();
    // SAFETY: `with_interpreter` calls this once, before any other use of Python. Both structs are initialised by their
    // own functions before a field is touched, and CPython copies the values.
    unsafe {
        ffi::PyPreConfig_InitPythonConfig(pre.as_mut_ptr());
        let pre = pre.assume_init_mut();
        pre.parse_argv = 0; // our arguments are not Python's
        // Lambda's LANG names a locale that its images lack. Without UTF-8 mode, files and streams would be ASCII.
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

/// Clears `sys.flags.no_site`. For a profile, `glue/start.py` imports `site` and not CPython's start. But `site` itself
/// reads the flag, and `subprocess` and `multiprocessing` start other Pythons with the flags of this one.
pub(super) fn want_site(py: Python<'_>) -> PyResult<()> {
    let flags = py.import("sys")?.getattr("flags")?;
    let place = flags.getattr("__match_args__")?.call_method1("index", ("no_site",))?.extract()?;
    let no = 0_i32.into_pyobject(py)?;
    // SAFETY: a struct sequence is a tuple, and the place is that of one of its fields. No other code has read it yet.
    unsafe { ffi::PyStructSequence_SetItem(flags.as_ptr(), place, no.into_ptr()) };
    Ok(())
}

/// Returns the object that `compile_glue.py` has marshalled into `data`, without the copy that `marshal.loads` needs.
/// Only for data from [`for_this_python`](super::bytecode::for_this_python): other bytecode is not safe to execute.
pub(super) fn unmarshal<'py>(py: Python<'py>, data: &'static [u8]) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the bytes are part of this binary, and their magic number was compared. The function does not read beyond
    // them, and returns a new reference or sets an exception.
    unsafe {
        let object = ffi::PyMarshal_ReadObjectFromString(data.as_ptr().cast(), data.len().cast_signed());
        Bound::from_owned_ptr_or_err(py, object)
    }
}

/// Lets malloc keep the memory of one request for the next. By default glibc returns buffers of a megabyte to the
/// kernel and gets them again, page after page: half of the time of a request with such a body (mallopt(3)).
pub(super) fn keep_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the calls change limits of the allocator and nothing else.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20); // bytes, the maximum
        libc::mallopt(libc::M_TRIM_THRESHOLD, 64 << 20);
    }
}

/// Lets malloc return all unused memory to the kernel, page by page (malloc_trim(3)).
pub(super) fn return_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call locks each arena while it looks for free pages.
    unsafe {
        libc::malloc_trim(0);
    }
}

fn configure(config: &mut ffi::PyConfig, home: &Home, site: bool) -> Result<(), String> {
    config.parse_argv = 0; // as above
    config.use_environment = 1; // PYTHONPATH, PYTHONWARNINGS, PYTHONHASHSEED and others apply as usual
    config.buffered_stdio = 0; // a buffer would be lost in a sandbox that is frozen or killed
    config.site_import = site.into();
    config.write_bytecode = 0; // /var/task and /opt are read-only: each attempt would cost system calls
    config.install_signal_handlers = 0; // Ctrl-C ends the process at once; see `leave_keyboard` in `glue/lifecycle.py`
    config.pathconfig_warnings = 0; // a layer has no exec_prefix
    let mut argv = [c"bootstrap".as_ptr()];
    // SAFETY: the caller has initialised `config`; the strings live until the calls return, and the calls copy them.
    unsafe {
        if let Some(text) = &home.executable {
            // sys.executable, for subprocesses. Python also recognises a virtual environment by it (PEP 405).
            let field = &raw mut config.executable;
            check(ffi::PyConfig_SetBytesString(config, field, c_string(text)?.as_ptr()))?;
        }
        if let Some(text) = &home.prefix {
            // Otherwise Python would search its library next to the `python3` on PATH, or use PYTHONHOME.
            let field = &raw mut config.home;
            check(ffi::PyConfig_SetBytesString(config, field, c_string(text)?.as_ptr()))?;
        }
        // sys.argv[0]: some libraries read it and fail with an empty list.
        check(ffi::PyConfig_SetBytesArgv(config, 1, argv.as_mut_ptr()))
    }
}

fn check(status: ffi::PyStatus) -> Result<(), String> {
    // SAFETY: the call only reads the struct; its message, if there is one, is a static C string.
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
    CString::new(text.as_os_str().as_bytes()).map_err(|_| format!("{} contains a NUL", text.display()))
}

/// Returns bytes as a native string: each byte becomes the Latin-1 character (PEP 3333, "Unicode Issues"). pyo3 has no
/// call for it, and `PyString::new` of a Rust string made from the bytes is measurably slower.
pub(super) fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    let length = isize::try_from(bytes.len())?;
    // SAFETY: pointer and length are those of a live slice; the call returns a new reference to a str, or NULL with an
    // exception set, which is what `from_owned_ptr_or_err` expects.
    unsafe {
        let text = ffi::PyUnicode_DecodeLatin1(bytes.as_ptr().cast(), length, std::ptr::null());
        Ok(Bound::from_owned_ptr_or_err(py, text)?.cast_into_unchecked())
    }
}

/// How many trace ids stay readable, for code in another thread that keeps a pointer from getenv(3).
const TRACE_IDS: usize = 16;

/// The memory that the environment points into: the slots are used in turn. The number is the current slot's.
static TRACE_ID_SLOTS: Mutex<(usize, [Vec<u8>; TRACE_IDS])> = Mutex::new((0, [const { Vec::new() }; TRACE_IDS]));

/// Sets `_X_AMZN_TRACE_ID` in the environment of this process, for C code and for children. `os.environ` would call
/// setenv(3), which never frees an old value (glibc, `stdlib/setenv.c`): a leak of more than 100 bytes per request.
/// putenv(3) uses our own memory, which we write to again.
pub(super) fn put_trace_id(value: &str) {
    let mut slots = lock(&TRACE_ID_SLOTS);
    let (turn, slots) = &mut *slots;
    *turn = (*turn + 1) % TRACE_IDS;
    let text = ["_X_AMZN_TRACE_ID=", value, "\0"];
    let length = text.iter().map(|part| part.len()).sum();
    if slots[*turn].capacity() < length {
        // The environment may still point to the old buffer, so it is leaked: at most once for each larger size.
        std::mem::forget(std::mem::replace(&mut slots[*turn], Vec::with_capacity(length.next_power_of_two())));
    }
    let slot = &mut slots[*turn];
    slot.clear();
    for part in text {
        slot.extend_from_slice(part.as_bytes());
    }
    // SAFETY: the memory holds a C string and is never freed. It is written to again only after the environment has
    // pointed to each of the other slots.
    unsafe {
        libc::putenv(slot.as_mut_ptr().cast());
    }
}

/// The main thread, which lives as long as the process.
pub(super) type Thread = libc::pthread_t;

/// The calling thread.
pub(super) fn this_thread() -> Thread {
    // SAFETY: the call has no precondition.
    unsafe { libc::pthread_self() }
}

/// Sends a thread the signal whose handler is in `glue/deadline.py`.
pub(super) fn interrupt(thread: Thread) {
    // SAFETY: the thread is the main one, which ends with the process; the signal has a handler.
    unsafe {
        libc::pthread_kill(thread, interrupt_signal());
    }
}

/// Calls `start`, which starts a thread that takes no signals. The kernel gives a signal for the process to any thread that
/// takes it (signal(7)): one that the application blocks, to wait for it, would end the process in a thread of ours.
///
/// Faults are a thread's own, and a copy of a thread of ours sends itself the signal for the stacks.
pub fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    let own = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT, libc::SIGTRAP, stacks_signal()];
    // SAFETY: the calls initialise the sets.
    let before = unsafe {
        let (mut taken, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut taken);
        for signal in own {
            libc::sigdelset(&raw mut taken, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const taken, &raw mut before);
        before
    };
    let started = start();
    // SAFETY: the set is the one that the thread had.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    started
}

/// Set in each child of this process, whichever code forks it.
static FORKED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether Python code is about to fork on this thread while SIGTERM has the runtime's handler.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    /// The thread's signal mask before such a fork.
    static SIGNALS: Cell<Option<libc::sigset_t>> = const { Cell::new(None) };
}

/// Makes the next fork of this thread reset SIGTERM to its default in the child. A SIGTERM that arrives at the same
/// moment is not lost.
pub(super) fn guard_fork() {
    GUARDED.set(true);
}

extern "C" fn before_fork() {
    if GUARDED.get() {
        // SAFETY: the calls initialise the sets.
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
        // SAFETY: the set is the thread's own earlier one.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        }
    }
}

extern "C" fn become_child() {
    FORKED.store(true, Ordering::Relaxed);
    if GUARDED.get() {
        // SAFETY: the handler was the runtime's, which children must not have; `glue/lifecycle.py` tells Python.
        unsafe {
            libc::signal(libc::SIGTERM, libc::SIG_DFL);
        }
    }
    after_fork();
}

/// Makes [`is_forked`] work: from here on it tells this process from its children.
pub(super) fn watch_forks() {
    // SAFETY: the handlers make system calls and store to memory of their own thread, which is allowed in a child of a
    // process with threads.
    unsafe {
        libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(become_child));
    }
}

/// Whether this process is a child of the one that the platform started, and not a worker.
pub fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// Marks this child as a worker, which serves events: [`is_forked`] is false in it.
pub(super) fn adopt_fork() {
    FORKED.store(false, Ordering::Relaxed);
}

/// Ends a child that must not repeat its parent's work, without running exit handlers that the parent registered.
pub(super) fn leave_child() -> ! {
    // SAFETY: the call only ends the process.
    unsafe { libc::_exit(1) }
}

/// Makes the kernel kill this process when its parent ends, however that happens.
pub(super) fn end_with_parent() {
    // SAFETY: the call changes an attribute of this process and nothing else.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

/// The signal that makes `faulthandler` write the stacks. It and [`interrupt_signal`] are real-time signals that
/// nothing else uses.
pub(super) fn stacks_signal() -> i32 {
    libc::SIGRTMAX() - 2
}

/// The signal that interrupts the application at its deadline.
pub(super) fn interrupt_signal() -> i32 {
    libc::SIGRTMAX() - 3
}

/// Makes an empty file in memory.
///
/// # Errors
/// The kernel's (memfd_create(2)).
pub fn file_in_memory() -> std::io::Result<File> {
    // By the system call itself: Amazon Linux 2's glibc has no function for it.
    Ok(rustix::fs::memfd_create("stacks", rustix::fs::MemfdFlags::CLOEXEC)?.into())
}

/// Makes `faulthandler`'s handler (`glue/deadline.py`) write the stacks of all threads to `file`, in a copy of this
/// process. The handler reads frames without the GIL while other threads change them: in this process it could crash.
/// The copy is killed after `patience`.
pub(super) fn write_stacks_in_a_copy(file: &File, patience: Duration) {
    let step = Duration::from_millis(5);
    // SAFETY: clone without flags is fork(2), but it runs no handlers of libraries, and its end sends no signal that
    // the application would see. The copy has one thread. It makes system calls, runs a signal handler that is made for
    // crashed processes, and ends by _exit. The parent waits for exactly this child.
    unsafe {
        let pid = libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0);
        if pid == 0 {
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
            for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT] {
                libc::signal(signal, libc::SIG_DFL); // a crash of the copy must not be reported
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

/// Ends this process without running exit handlers of libraries (atexit(3)): other threads of the application may still
/// use these libraries.
pub fn leave(status: u8) -> ! {
    // SAFETY: the call only ends the process.
    unsafe { libc::_exit(status.into()) }
}

/// Sets the signals as in a Python program. SIGXFSZ is ignored, as Python's own start does, so that a write beyond the
/// limit of a file's size fails with an error. Rust's handlers of SIGSEGV and SIGBUS are removed: a process that
/// another one sends such a signal would survive it, and `faulthandler` reports more.
pub(super) fn prepare_signals() {
    // SAFETY: the calls set dispositions, and no other code has set them yet.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::signal(libc::SIGSEGV, libc::SIG_DFL);
        libc::signal(libc::SIGBUS, libc::SIG_DFL);
    }
}

/// Device and inode of a descriptor's file, which tell it from others. `None` if the descriptor is not open.
pub(super) fn file_identity(descriptor: RawFd) -> Option<(u64, u64)> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat fills the struct where it succeeds, and fails on a number that is no open descriptor.
    unsafe {
        if libc::fstat(descriptor, stat.as_mut_ptr()) != 0 {
            return None;
        }
        let stat = stat.assume_init();
        Some((stat.st_dev, stat.st_ino))
    }
}

/// Returns the file of a descriptor and takes ownership of it. `None` if it is not open.
pub fn file_of_descriptor(descriptor: RawFd) -> Option<File> {
    // SAFETY: fcntl with F_GETFD changes nothing and fails on a descriptor that is not open. An open one was passed to
    // this process by number (`_LAMBDA_TELEMETRY_LOG_FD`) or made for this call: nothing else owns or closes it.
    unsafe { (libc::fcntl(descriptor, libc::F_GETFD) >= 0).then(|| File::from_raw_fd(descriptor)) }
}
