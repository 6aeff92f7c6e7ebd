//! The processes of a subject: started with Lambda's variables and no others, measured through /proc, ended as a group.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use crate::clock::{Nanos, clock};
use crate::slice::Slice;

/// One program of a subject.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// How to start a subject: its programs at the same time, in the folder of the function.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) programs: Vec<Program>,
    pub(crate) task_root: PathBuf,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) log: PathBuf,
    pub(crate) slice: Option<Arc<Slice>>,
}

/// Groups that live, so that Ctrl-C ends them with the harness.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Ends every process group that was started and not yet ended.
pub(crate) fn kill_all() {
    for group in GROUPS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
    }
}

/// The running programs. Dropping them ends them.
#[derive(Debug)]
pub(crate) struct Processes {
    children: Vec<Child>,
    log: PathBuf,
}

impl Processes {
    pub(crate) fn spawn(launch: &Launch, api: SocketAddr) -> Result<Self> {
        let log = File::create(&launch.log).with_context(|| launch.log.display().to_string())?;
        let mut processes = Self { children: Vec::new(), log: launch.log.clone() };
        for program in &launch.programs {
            let mut command = Command::new(&program.path);
            command
                .args(&program.arguments)
                .current_dir(&launch.task_root)
                .env_clear()
                .env("LAMBDA_TASK_ROOT", &launch.task_root)
                .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
                .envs(LAMBDA)
                .envs(launch.env.iter().map(|(name, value)| (name, value)))
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log.try_clone()?)
                .process_group(0);
            let mut spawn = || command.spawn().with_context(|| format!("cannot start {}", program.path.display()));
            let child = match &launch.slice {
                Some(slice) => slice.within(&mut spawn)?,
                None => spawn()?,
            };
            GROUPS.lock().unwrap_or_else(PoisonError::into_inner).insert(child.id().cast_signed());
            processes.children.push(child);
        }
        Ok(processes)
    }

    /// An error if one of the programs has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        for child in &mut self.children {
            if let Some(status) = child.try_wait()? {
                bail!("its process ended: {status}");
            }
        }
        Ok(())
    }

    /// The process of the first program.
    pub(crate) fn first(&self) -> i32 {
        self.children.first().map_or(0, |child| child.id().cast_signed())
    }

    /// The end of what they wrote.
    pub(crate) fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// All processes of the groups: web servers have workers.
    pub(crate) fn tree(&self) -> Vec<i32> {
        let groups: Vec<i32> = self.children.iter().map(|child| child.id().cast_signed()).collect();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid: &i32| group_of(*pid).is_some_and(|group| groups.contains(&group))).collect()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
            let _ = child.wait();
            GROUPS.lock().unwrap_or_else(PoisonError::into_inner).remove(&child.id().cast_signed());
        }
    }
}

/// The fifth field of `/proc/PID/stat`; the second is a name that may hold spaces.
fn group_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

/// The processor time of these processes and all their threads, to the nanosecond.
pub(crate) fn cpu(pids: &[i32]) -> Nanos {
    let clocks = pids.iter().filter_map(|pid| clock_getcpuclockid(Pid::from_raw(*pid)).ok());
    clocks.map(clock).sum()
}

/// Memory of a tree of processes, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Pages that several processes share are divided among them.
    pub(crate) pss: u64,
    /// Pages that several processes share count in each, those outside the tree as well.
    pub(crate) rss: u64,
    /// The most that was resident, summed over the processes: shared pages count in each.
    pub(crate) peak: u64,
    pub(crate) processes: u64,
}

pub(crate) fn memory(pids: &[i32]) -> Memory {
    let mut memory = Memory::default();
    for pid in pids {
        let rollup = format!("/proc/{pid}/smaps_rollup");
        memory.pss += kilobytes(Path::new(&rollup), "Pss:");
        memory.rss += kilobytes(Path::new(&rollup), "Rss:");
        memory.peak += kilobytes(Path::new(&format!("/proc/{pid}/status")), "VmHWM:");
        memory.processes += 1;
    }
    memory
}

fn kilobytes(path: &Path, field: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// What Lambda sets for every function.
const LAMBDA: [(&str, &str); 16] = [
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "bench"),
    ("AWS_SECRET_ACCESS_KEY", "bench"),
    ("AWS_SESSION_TOKEN", "bench"),
    ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
    ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ("LANG", "en_US.UTF-8"),
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("TZ", ":UTC"),
];
