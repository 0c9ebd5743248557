//! The commands about planted bugs.

use std::{fs, io};

use sim::bugs::hunt::{Find, Hunt, Hunter};
use sim::bugs::{Bug, table};

use crate::{Failure, template};

const TABLE: &str = "docs/planted-bugs.md";

/// Finds bugs. Returns whether every one was found.
pub(crate) fn find(bugs: &[Bug]) -> Result<bool, Failure> {
    Ok(hunt(bugs)?.len() == bugs.len())
}

/// Finds every bug, and records how.
pub(crate) fn write() -> Result<bool, Failure> {
    let finds = hunt(Bug::ALL)?;
    fs::write(TABLE, table::render(&finds))?;
    Ok(finds.len() == Bug::ALL.len())
}

fn hunt(bugs: &[Bug]) -> Result<Vec<Find>, Failure> {
    let hunter = Hunter::new(template()?)?;
    let finds = hunter.for_each(bugs, |bug| match hunter.hunt(bug)? {
        Hunt::Found(find) => {
            println!("{bug}: seed {}: {}", find.seed, find.violation);
            Ok(Some(find))
        }
        Hunt::NotFound { other } => {
            println!("NOT FOUND: {bug}; but: {other:?}");
            Ok(None)
        }
    })?;
    Ok(finds.into_iter().flatten().collect())
}

/// Looks whether the recorded seeds still find all bugs.
pub(crate) fn check() -> Result<bool, Failure> {
    let hunter = Hunter::new(template()?)?;
    let seeds = table::read(&fs::read_to_string(TABLE)?);
    let finds = hunter.for_each(Bug::ALL, |bug| match seeds.iter().find(|(it, _)| *it == bug) {
        Some((_, seed)) => hunter.check(bug, *seed),
        None => Ok::<_, io::Error>(None),
    })?;
    let mut missing = Bug::ALL.iter().zip(&finds).filter(|(_, find)| find.is_none()).peekable();
    let is_complete = missing.peek().is_none();
    missing.for_each(|(bug, _)| println!("NOT FOUND by the seed in {TABLE}: {bug}"));
    println!("{} planted bugs found", finds.iter().flatten().count());
    Ok(is_complete)
}
