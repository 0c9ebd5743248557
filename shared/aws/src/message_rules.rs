//! The rules by which accounts send messages, from the settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::rules::MessageRules;

use crate::settings::{Cached, Good, Settings, SettingsError, Values, read_each};

const FOLDER: &str = "accounts";
const PARAMETER: &str = "messages";

/// By parameter. Rules that cannot be used send nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RulesOfAccounts(BTreeMap<String, Good<MessageRules>>);

impl RulesOfAccounts {
    /// `None` for an account that sends no messages.
    pub fn of(&self, account: &AccountCode) -> Option<&MessageRules> {
        self.0.get(&format!("{FOLDER}/{account}/{PARAMETER}")).map(|rules| &**rules)
    }
}

/// The rules of all accounts, cached.
pub struct AccountRules {
    settings: Settings,
    cached: Cached<RulesOfAccounts>,
}

impl AccountRules {
    pub fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    pub async fn all(&self, now: Timestamp) -> Result<Arc<RulesOfAccounts>, SettingsError> {
        let load = |last: Option<Arc<RulesOfAccounts>>| async move {
            Ok(read(&self.settings.read_plain_below(FOLDER).await?, last.as_deref(), now))
        };
        self.cached.get(&self.settings, FOLDER, now, load).await
    }
}

/// The folder has other settings of accounts, too.
fn read(values: &Values, last: Option<&RulesOfAccounts>, now: Timestamp) -> RulesOfAccounts {
    let is_rules = |parameter: &str| {
        let account = parameter.strip_prefix(FOLDER).and_then(|rest| rest.strip_suffix(PARAMETER));
        account.is_some_and(|account| account.matches('/').count() == 2)
    };
    let rules = values.iter().filter(|(parameter, _)| is_rules(parameter));
    let parse = |parameter: &str, text: &str| {
        MessageRules::parse(text).map_err(|error| SettingsError::invalid(parameter, error))
    };
    RulesOfAccounts(read_each(rules, last.map(|last| &last.0), now, parse))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_rules_of_each_account() {
        let good = r#"{"phone_number_id":"106540352242922","rules":[]}"#;
        let values: Values = [
            ("accounts/A/messages", good),
            ("accounts/B/messages", "{"),
            ("accounts/C/page", good),
            ("accounts/C/D/messages", good),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let rules = read(&values, None, Timestamp::EPOCH);
        let has = ["A", "B", "C", "C/D"].map(|account| {
            AccountCode::parse(account).is_ok_and(|account| rules.of(&account).is_some())
        });
        assert_eq!(has, [true, false, false, false]);
        let kept = [("accounts/A/messages".to_owned(), "{".to_owned())].into();
        let kept = read(&kept, Some(&rules), Timestamp::EPOCH);
        assert!(kept.of(&AccountCode::parse("A").unwrap()).is_some(), "the last good value");
    }
}
