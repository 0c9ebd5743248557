//! Fifty endpoints with ten deliveries in flight each, alone and beside one that never answers.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Message, messages, prepare};
use crate::Error;
use crate::installation::Installation;
use crate::installation::internet::DEAD;
use crate::pool::Pool;
use crate::queues::Queues;
use crate::report::ms;

/// Before an endpoint answers: below the three seconds of a slow one.
const ANSWER: Duration = Duration::from_secs(2);
const IN_FLIGHT: usize = 10;
/// Of each endpoint. Those in flight at first start the processes, and are not measured.
const CHANGES: u64 = 60;
/// The parts take turns.
const ROUNDS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(120);
const DEAD_ENDPOINT: &str = "dead";

/// In milliseconds, ascending: from the message to the POST, of healthy endpoints.
pub(crate) struct Isolation {
    pub(super) alone: Vec<f64>,
    pub(super) beside: Vec<f64>,
}

pub(super) fn measure(installation: &Arc<Installation>) -> Result<Isolation, Error> {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.extend(measure_once(installation, &[])?);
        let dead = (DEAD_ENDPOINT, format!("{}{DEAD}", installation.url()));
        beside.extend(measure_once(installation, &[dead])?);
    }
    Ok(Isolation { alone: ms(alone.into_iter()), beside: ms(beside.into_iter()) })
}

fn measure_once(
    installation: &Arc<Installation>,
    dead: &[(&str, String)],
) -> Result<Vec<Duration>, Error> {
    prepare(installation)?;
    dead.iter().for_each(|(name, url)| super::add_endpoint(installation, name, url));
    let mut load = Load::new(installation, messages(installation, CHANGES)?)?;
    let account = &installation.account;
    account.internet.set_delay(ANSWER);
    let (sender, arrivals) = channel();
    // The receiver is gone once all messages were delivered.
    account.internet.watch(move |arrival| _ = sender.send((arrival.id, arrival.at)));
    let pools = [("deliver", "deliver"), ("deliver-slow", "deliver")];
    let pools = pools.map(|(name, program)| (name, Pool::new(installation, name, program)));
    let queues = Queues::consume(installation, &pools)?;
    load.begin();
    let begin = Instant::now();
    while load.healthy_left > 0 {
        if let Ok((id, at)) = arrivals.recv_timeout(Duration::from_millis(1)) {
            load.arrived(&id, at);
        }
        load.send_due();
        if begin.elapsed() > PATIENCE {
            return Err(format!("{} messages were not delivered", load.healthy_left).into());
        }
    }
    sleep(ANSWER);
    account.internet.unwatch();
    drop(queues);
    account.internet.set_delay(Duration::ZERO);
    // A process with a delivery to the dead endpoint ends with the attempt.
    pools.iter().try_for_each(|(_, pool)| pool.stop())?;
    Ok(load.times)
}

/// Keeps so many messages of each endpoint in flight.
struct Load<'a> {
    installation: &'a Installation,
    queue: &'a str,
    backlog: BTreeMap<String, VecDeque<Message>>,
    /// By id of the delivery.
    sent: HashMap<String, Sent>,
    /// When the next message of an endpoint is due.
    due: VecDeque<(Instant, String)>,
    times: Vec<Duration>,
    healthy_left: usize,
}

struct Sent {
    endpoint: String,
    at: Instant,
    is_measured: bool,
}

impl<'a> Load<'a> {
    fn new(installation: &'a Installation, messages: Vec<Message>) -> Result<Self, Error> {
        let mut backlog = BTreeMap::<String, VecDeque<Message>>::new();
        for message in messages {
            backlog.entry(message.endpoint.clone()).or_default().push_back(message);
        }
        let healthy = backlog.iter().filter(|(name, _)| *name != DEAD_ENDPOINT);
        Ok(Self {
            healthy_left: healthy.map(|(_, messages)| messages.len()).sum(),
            queue: installation.queue("deliver")?,
            installation,
            backlog,
            sent: HashMap::new(),
            due: VecDeque::new(),
            times: Vec::new(),
        })
    }

    /// The first messages, spread over the time of an answer.
    fn begin(&mut self) {
        let endpoints: Vec<String> = self.backlog.keys().cloned().collect();
        let all = endpoints.len() * IN_FLIGHT;
        let begin = Instant::now();
        for (place, endpoint) in endpoints.iter().cycle().take(all).enumerate() {
            self.due.push_back((begin + ANSWER * place as u32 / all as u32, endpoint.clone()));
        }
    }

    fn send_due(&mut self) {
        while let Some((at, _)) = self.due.front()
            && *at <= Instant::now()
            && let Some((_, endpoint)) = self.due.pop_front()
        {
            self.send(&endpoint);
        }
    }

    fn send(&mut self, endpoint: &str) {
        let Some(backlog) = self.backlog.get_mut(endpoint) else { return };
        let left = backlog.len();
        let Some(message) = backlog.pop_front() else { return };
        let is_measured = left + IN_FLIGHT <= CHANGES as usize;
        let sent = Sent { endpoint: endpoint.to_owned(), at: Instant::now(), is_measured };
        self.sent.insert(message.id, sent);
        self.installation.account.send(self.queue, &message.body);
    }

    fn arrived(&mut self, id: &str, at: Instant) {
        let Some(sent) = self.sent.remove(id) else { return };
        self.healthy_left -= 1;
        if sent.is_measured {
            self.times.push(at - sent.at);
        }
        self.due.push_back((at + ANSWER, sent.endpoint));
    }
}
