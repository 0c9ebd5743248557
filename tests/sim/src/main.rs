//! Runs the simulation; see `USAGE`.

use std::num::ParseIntError;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io};

use sim::bugs::Bug;
use sim::campaign::{Campaign, Seeds, Totals};
use sim::scenarios::Report;
use sim::{Topology, kills, run, scenarios};

mod planted;

const USAGE: &str = "\
usage, from the root of the repository:
  sim seed SEED           tells the story of one run
  sim seeds FIRST COUNT   runs that many seeds, the first ones twice
  sim soak SECONDS        runs as many seeds as fit, from a random one
  sim kills               kills a worker before and after each call of some runs
  sim kill SEED CALL before|after [MEETING]
                          tells the story of one of these kills
  sim scenarios           the long outages, and the crowd
  sim scenario NUMBER SEED
                          tells the story of one of these
  sim bugs find [BUG…]    finds the planted bugs, or these, each by its smallest seed
  sim bugs write          the same, and writes them to docs/planted-bugs.md
  sim bugs check          finds each planted bug by the seed in docs/planted-bugs.md
  sim bug BUG SEED        tells the story of one run with a planted bug";

/// How many of the first seeds run twice, to see that a seed repeats.
const REPEATED: u64 = 20;

#[derive(Debug)]
enum Failure {
    Usage,
    Io(io::Error),
    Template(doubles::template::TemplateError),
}

impl From<ParseIntError> for Failure {
    fn from(_: ParseIntError) -> Self {
        Self::Usage
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match simulate(&arguments) {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => {}
        Err(Failure::Usage) => eprintln!("{USAGE}"),
        Err(Failure::Io(error)) => eprintln!("error: {error}"),
        Err(Failure::Template(error)) => eprintln!("error: template.yaml: {error}"),
    }
    ExitCode::FAILURE
}

/// Returns whether every promise was kept.
fn simulate(arguments: &[&str]) -> Result<bool, Failure> {
    let topology = || {
        let text = template()?;
        Ok::<_, Failure>(Arc::new(Topology::read(&text).map_err(Failure::Template)?))
    };
    match arguments {
        ["seed", seed] => {
            let outcome = run(seed.parse()?, &topology()?, true)?;
            print!("{}", outcome.story);
            Ok(report(&Totals::of(&outcome)))
        }
        ["seeds", first, count] => {
            let campaign = Campaign { topology: topology()?, repeated: REPEATED };
            Ok(report(&campaign.run(Seeds::count(first.parse()?, count.parse()?))?))
        }
        ["soak", seconds] => {
            let campaign = Campaign { topology: topology()?, repeated: 0 };
            let time = Duration::from_secs(seconds.parse()?);
            Ok(report(&campaign.run(Seeds::until(fastrand::u64(..1 << 40), time))?))
        }
        ["kills"] => Ok(report(&kills::run(&topology()?)?)),
        ["kill", seed, call, moment @ ("before" | "after"), meeting @ ..] => {
            let meeting = (!meeting.is_empty()).then(|| meeting.join(" "));
            let at = (call.parse()?, *moment == "before");
            let outcome = kills::tell(&topology()?, seed.parse()?, at, meeting.as_deref())?;
            let outcome = outcome.ok_or(Failure::Usage)?;
            print!("{}", outcome.story);
            Ok(report(&Totals::of(&outcome)))
        }
        ["scenarios"] => {
            let reports = scenarios::run_all(&topology()?)?;
            reports.iter().for_each(|report| println!("{report}"));
            Ok(reports.iter().all(Report::is_kept))
        }
        ["scenario", number, seed] => {
            let outcome = scenarios::tell(&topology()?, number.parse()?, seed.parse()?)?;
            let outcome = outcome.ok_or(Failure::Usage)?;
            print!("{}", outcome.story);
            Ok(report(&Totals::of(&outcome)))
        }
        ["bug", bug, seed] => {
            let bug = Bug::parse(bug).ok_or(Failure::Usage)?;
            let topology = Topology::with(Some(bug), &template()?).map_err(Failure::Template)?;
            let outcome = run(seed.parse()?, &Arc::new(topology), true)?;
            print!("{}", outcome.story);
            Ok(report(&Totals::of(&outcome)))
        }
        ["bugs", "find"] => planted::find(Bug::ALL),
        ["bugs", "find", names @ ..] => {
            let bugs = names.iter().map(|name| Bug::parse(name).ok_or(Failure::Usage));
            planted::find(&bugs.collect::<Result<Vec<Bug>, _>>()?)
        }
        ["bugs", "write"] => planted::write(),
        ["bugs", "check"] => planted::check(),
        _ => Err(Failure::Usage),
    }
}

fn template() -> io::Result<String> {
    fs::read_to_string("template.yaml")
}

fn report(totals: &Totals) -> bool {
    println!("{totals}");
    for (seed, violation) in &totals.violations {
        println!("BROKEN by seed {seed}: {violation}");
    }
    totals.violations.is_empty()
}
