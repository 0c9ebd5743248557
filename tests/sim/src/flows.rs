//! Which flows besides orders and their webhooks take part in a run: few, so that a run stays small.

use fastrand::Rng;

use crate::setup::polling::Polling;

/// One run in so many has a flow.
const ONE_IN: u8 = 3;
const MOST_CLIENTS: usize = 4;
/// Makes another generator of a seed.
const FURTHER: u64 = 0x5EED_0F5E_A112;

/// What the seed has chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Flows {
    pub(crate) polling: Option<Polling>,
    /// The run begins so many milliseconds before a full hour, when the schedule opens a run of
    /// polling.
    pub(crate) before_the_hour: Option<u64>,
    /// What WhatsApp and partners tell about messages that others sent.
    pub(crate) messages: bool,
    /// Messages that Waypost sends.
    pub(crate) sends: bool,
    /// Changes of orders send messages, by rules with limits.
    pub(crate) rules: bool,
    /// The same for a thousand orders at one moment. Only in a scenario.
    pub(crate) crowd: bool,
    /// Clients that watch orders on sockets.
    pub(crate) clients: usize,
    /// As few of everything as possible: every call of the run is struck in turn.
    pub(crate) is_small: bool,
}

impl Flows {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let polling = (random.u8(..ONE_IN) == 0).then(|| Polling::draw(random));
        let is_scheduled = polling.is_some() && random.bool();
        let before_the_hour = is_scheduled.then(|| random.u64(20_000..150_000));
        let messages = random.u8(..ONE_IN) == 0;
        let sends = random.u8(..ONE_IN) == 0;
        Self { polling, before_the_hour, messages, sends, ..Self::default() }
    }

    /// Rules and sockets have a generator of their own: seeds without them are what they were.
    pub(crate) fn with_more(mut self, seed: u64) -> Self {
        let mut random = Rng::with_seed(seed ^ FURTHER);
        self.rules = random.u8(..ONE_IN) == 0;
        if random.u8(..ONE_IN) == 0 {
            self.clients = random.usize(1..=MOST_CLIENTS);
        }
        self
    }

    /// At most one of both, beside an order.
    pub(crate) fn with_one_more(mut self, seed: u64) -> Self {
        if !self.is_small {
            match seed % 3 {
                0 => self.rules = true,
                1 => self.clients = 1,
                _ => {}
            }
        }
        self
    }

    /// Only orders and shops, and who watches them.
    pub(crate) fn is_plain(self) -> bool {
        Self { rules: false, clients: 0, ..self } == Self::default()
    }

    /// Whether the settings of WhatsApp are there, and its rows are looked at.
    pub(crate) fn has_messages(&self) -> bool {
        self.messages || self.sends || self.rules || self.crowd
    }

    /// At most one, by itself.
    pub(crate) fn draw_one(random: &mut Rng) -> Self {
        let one = Self { is_small: true, ..Self::default() };
        match random.u8(..6) {
            0 => Self { polling: Some(Polling::draw(random)), ..one },
            1 => Self { messages: true, ..one },
            2 => Self { sends: true, ..one },
            _ => Self::default(),
        }
    }
}
