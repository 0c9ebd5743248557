//! The share of a processor that Lambda gives to a function of some memory, by a control group.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

/// The memory that gets one whole processor: AWS Lambda Developer Guide, "Configure Lambda function
/// memory".
const MIB_OF_A_PROCESSOR: u64 = 1769;
/// In microseconds.
const PERIOD: u64 = 20_000;

const VERSION_1: &str = "/sys/fs/cgroup/cpu";
const VERSION_2: &str = "/sys/fs/cgroup";

/// Groups so far, for their names.
static GROUPS: AtomicU64 = AtomicU64::new(0);

static WARNING: Once = Once::new();

/// A control group; dropping it removes the group, which must be empty then: make it before the
/// process that it holds.
#[derive(Debug)]
pub(crate) struct Share {
    group: PathBuf,
}

impl Share {
    /// None where control groups cannot be made: a process then has a whole processor.
    pub(crate) fn of_memory(mib: u64) -> Option<Self> {
        let share = Self::make(mib);
        if let Err(error) = &share {
            WARNING.call_once(|| {
                eprintln!(
                    "Processes are not held to the processor share of their memory: a control \
                     group needs root ({error}).\n"
                );
            });
        }
        share.ok()
    }

    fn make(mib: u64) -> io::Result<Self> {
        let quota = PERIOD * mib / MIB_OF_A_PROCESSOR;
        let is_version_1 = Path::new(VERSION_1).is_dir();
        let root = if is_version_1 { VERSION_1 } else { VERSION_2 };
        let number = GROUPS.fetch_add(1, Ordering::Relaxed);
        let group = Path::new(root).join(format!("waypost-bench-{}-{number}", std::process::id()));
        fs::create_dir_all(&group)?;
        let share = Self { group };
        if is_version_1 {
            share.write("cpu.cfs_period_us", &PERIOD.to_string())?;
            share.write("cpu.cfs_quota_us", &quota.to_string())?;
        } else {
            share.write("cpu.max", &format!("{quota} {PERIOD}"))?;
        }
        Ok(share)
    }

    pub(crate) fn hold(&self, process: u32) -> io::Result<()> {
        self.write("cgroup.procs", &process.to_string())
    }

    fn write(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.group.join(file), value)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // The kernel keeps a group whose last process has only just ended.
        let _ = fs::remove_dir(&self.group);
    }
}
