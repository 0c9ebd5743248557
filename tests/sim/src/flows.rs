//! Which flows besides orders and their webhooks take part in a run: few, so that a run stays small.

use fastrand::Rng;

use crate::setup::polling::Polling;

/// One run in so many has a flow.
const ONE_IN: u8 = 3;

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
    /// Changes of orders send messages. Only in a scenario.
    pub(crate) rules: bool,
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
        Self { polling, before_the_hour, messages, sends, rules: false, is_small: false }
    }

    /// Whether the settings of WhatsApp are there, and its rows are looked at.
    pub(crate) fn has_messages(&self) -> bool {
        self.messages || self.sends || self.rules
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
