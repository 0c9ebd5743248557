//! Programs of the machine that the benchmark uses if they are there.

use std::env;
use std::path::PathBuf;
use std::process::Command;

pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Of this version or a later one.
pub(crate) fn node(oldest: u32) -> Option<PathBuf> {
    let node = find("node")?;
    let version = Command::new(&node).arg("--version").output().ok()?;
    let is_new = major(&String::from_utf8_lossy(&version.stdout))? >= oldest;
    is_new.then_some(node)
}

/// Of `v20.1.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_of_node() {
        assert_eq!(major("v20.1.2\n"), Some(20));
        assert_eq!(major("20"), None);
    }
}
