//! The share of a processor that Lambda gives to a function of some memory, by a control group.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The memory that gets one whole processor: AWS Lambda Developer Guide, "Configure Lambda function
/// memory".
const MIB_OF_A_PROCESSOR: u64 = 1769;
/// In microseconds.
const PERIOD: u64 = 20_000;

const VERSION_1: &str = "/sys/fs/cgroup/cpu";
const VERSION_2: &str = "/sys/fs/cgroup";

/// A control group; dropping it removes the group, which must be empty then.
#[derive(Debug)]
pub(super) struct Share {
    group: PathBuf,
}

impl Share {
    /// Fails where control groups cannot be made.
    pub(super) fn of_memory(mib: u64) -> io::Result<Self> {
        let quota = PERIOD * mib / MIB_OF_A_PROCESSOR;
        let is_version_1 = Path::new(VERSION_1).is_dir();
        let root = if is_version_1 { VERSION_1 } else { VERSION_2 };
        let group = Path::new(root).join(format!("waypost-bench-{}-{mib}", std::process::id()));
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

    pub(super) fn hold(&self, process: u32) -> io::Result<()> {
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
