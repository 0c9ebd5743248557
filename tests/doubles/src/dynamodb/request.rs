//! The members of requests.

use serde_json::Value;

use super::{Failure, Item};

/// A request, or one operation of a request.
#[derive(Clone, Copy)]
pub(super) struct Request<'a>(pub(super) &'a Item);

impl<'a> Request<'a> {
    /// Fails for a member that is not among the known ones: the model ignores none.
    pub(super) fn of(request: &'a Value, known: &[&str]) -> Result<Self, Failure> {
        let members = request.as_object().ok_or_else(|| wrong("request"))?;
        match members.keys().find(|member| !known.contains(&member.as_str())) {
            Some(member) => Err(Failure::not_modelled(format_args!("member {member}"))),
            None => Ok(Self(members)),
        }
    }

    fn optional<T>(
        self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let value = self.0.get(name);
        value.map(|value| read(value).ok_or_else(|| wrong(name))).transpose()
    }

    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, Failure> {
        self.optional(name, Value::as_str)
    }

    pub(super) fn required_text(self, name: &str) -> Result<&'a str, Failure> {
        self.text(name)?.ok_or_else(|| wrong(name))
    }

    pub(super) fn flag(self, name: &str) -> Result<Option<bool>, Failure> {
        self.optional(name, Value::as_bool)
    }

    pub(super) fn count(self, name: &str) -> Result<Option<usize>, Failure> {
        let count =
            |value: &Value| usize::try_from(value.as_u64()?).ok().filter(|count| *count > 0);
        self.optional(name, count)
    }

    pub(super) fn object(self, name: &str) -> Result<&'a Item, Failure> {
        self.optional(name, Value::as_object)?.ok_or_else(|| wrong(name))
    }

    pub(super) fn list(self, name: &str) -> Result<&'a [Value], Failure> {
        let list = self.optional(name, Value::as_array)?;
        list.map(Vec::as_slice).ok_or_else(|| wrong(name))
    }

    /// One of the values that a member may have; the first without the member.
    pub(super) fn choice<T: Copy>(
        self,
        name: &str,
        values: &[(&str, T)],
    ) -> Result<Option<T>, Failure> {
        let find = |text| values.iter().find(|(value, _)| *value == text).map(|(_, value)| *value);
        self.optional(name, |value| find(value.as_str()?))
    }
}

fn wrong(member: &str) -> Failure {
    Failure::validation(format!("1 validation error detected: invalid value at '{member}'"))
}
