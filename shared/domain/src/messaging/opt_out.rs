//! Whether a shopper wants no more messages.

use serde::{Deserialize, Serialize};

use crate::core::timestamp::Timestamp;

/// How a shopper said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOutBy {
    /// In the settings of the chat.
    UserPreferences,
    /// By a message that is a stop or start word.
    Word,
}

/// A shopper stopped or resumed messages. The latest is the greatest; of two at one time, a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OptOut {
    /// First, as the order is by time.
    pub at: Timestamp,
    pub stopped: bool,
    pub by: OptOutBy,
}

impl OptOut {
    /// A text of the same order.
    pub fn rank(&self) -> String {
        let by = match self.by {
            OptOutBy::UserPreferences => 0,
            OptOutBy::Word => 1,
        };
        format!("{}/{}/{by}", self.at, u8::from(self.stopped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::minute;

    #[test]
    fn ranks_have_the_order_of_opt_outs() {
        let mut all = Vec::new();
        for at in [minute(2), minute(0), minute(1)] {
            for by in [OptOutBy::Word, OptOutBy::UserPreferences] {
                all.extend([true, false].map(|stopped| OptOut { at, stopped, by }));
            }
        }
        let mut by_rank = all.clone();
        by_rank.sort_by_key(OptOut::rank);
        all.sort();
        assert_eq!(all, by_rank);
        assert!(all.last().is_some_and(|it| it.stopped && it.at == minute(2)));
    }
}
