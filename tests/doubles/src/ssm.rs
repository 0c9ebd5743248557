//! Parameter Store of SSM: reads by name and by path, secrets, pages and the rate limit.

mod errors;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use data_encoding::BASE64;
use serde_json::{Value, json};

use self::errors::{invalid_page_token, invalid_request, throttled};
use crate::failure::Failure;
use crate::names::parameter_arn;

/// Names of a `GetParameters`, and parameters of a page.
const MAX_PARAMETERS: usize = 10;
/// Of all reads of parameters together.
const CALLS_PER_SECOND: usize = 40;
const SECOND: u64 = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    String,
    /// Encrypted.
    SecureString,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::SecureString => "SecureString",
        }
    }
}

#[derive(Debug, Clone)]
struct Parameter {
    kind: Kind,
    value: String,
    version: u64,
    put_at: u64,
}

#[derive(Debug)]
pub struct Ssm {
    parameters: BTreeMap<String, Parameter>,
    calls_per_second: usize,
    /// The calls of the last second.
    calls: VecDeque<u64>,
    answered: u64,
    short_pages: f64,
}

impl Default for Ssm {
    fn default() -> Self {
        Self {
            parameters: BTreeMap::new(),
            calls_per_second: CALLS_PER_SECOND,
            calls: VecDeque::new(),
            answered: 0,
            short_pages: 0.0,
        }
    }
}

impl Ssm {
    #[must_use]
    pub fn with_calls_per_second(self, calls_per_second: usize) -> Self {
        Self { calls_per_second, ..self }
    }

    /// The chance that a page has fewer parameters than it could, or none, as SSM may return.
    #[must_use]
    pub fn with_short_pages(self, short_pages: f64) -> Self {
        Self { short_pages, ..self }
    }

    /// Creates or replaces a parameter. `name` is its whole path.
    pub fn put(&mut self, name: &str, kind: Kind, value: &str, now: u64) {
        let version = self.parameters.get(name).map_or(1, |parameter| parameter.version + 1);
        let parameter = Parameter { kind, value: value.to_owned(), version, put_at: now };
        self.parameters.insert(name.to_owned(), parameter);
    }

    pub fn remove(&mut self, name: &str) {
        self.parameters.remove(name);
    }

    /// Answers a request of the JSON protocol.
    pub fn call(
        &mut self,
        operation: &str,
        request: &Value,
        now: u64,
        rng: &mut fastrand::Rng,
    ) -> Result<Value, Failure> {
        self.count_call(now)?;
        match operation {
            "GetParameters" => self.get_parameters(request),
            "GetParametersByPath" => self.get_parameters_by_path(request, rng),
            other => Err(invalid_request(format!("The model does not support {other}."))),
        }
    }

    fn count_call(&mut self, now: u64) -> Result<(), Failure> {
        while self.calls.front().is_some_and(|call| call + SECOND <= now) {
            self.calls.pop_front();
        }
        if self.calls.len() >= self.calls_per_second {
            return Err(throttled());
        }
        self.calls.push_back(now);
        self.answered += 1;
        Ok(())
    }

    fn get_parameters(&self, request: &Value) -> Result<Value, Failure> {
        let names = read_names(request)?;
        let decrypted = is_decrypted(request);
        let (found, missing): (Vec<&str>, Vec<&str>) =
            names.into_iter().partition(|name| self.parameters.contains_key(*name));
        let found: Vec<Value> = found
            .into_iter()
            .filter_map(|name| Some(self.parameters.get(name)?.to_json(name, decrypted)))
            .collect();
        Ok(json!({ "Parameters": found, "InvalidParameters": missing }))
    }

    fn get_parameters_by_path(
        &self,
        request: &Value,
        rng: &mut fastrand::Rng,
    ) -> Result<Value, Failure> {
        let below = self.below(request)?;
        let start = match request["NextToken"].as_str() {
            Some(token) => read_page_token(token)?,
            None => String::new(),
        };
        let kind = read_type_filter(request)?;
        let has_kind =
            |parameter: &Parameter| kind.is_none_or(|kind| kind == parameter.kind.name());
        let mut rest = below.into_iter().filter(|(name, it)| ***name >= *start && has_kind(it));
        let decrypted = is_decrypted(request);
        let page = self.page_size(read_max_results(request)?, rng);
        let found: Vec<Value> =
            rest.by_ref().take(page).map(|(name, found)| found.to_json(name, decrypted)).collect();
        let mut answer = json!({ "Parameters": found });
        if let Some((next, _)) = rest.next() {
            answer["NextToken"] = page_token(self.answered, next).into();
        }
        Ok(answer)
    }

    /// The parameters below the path, in the order of their names.
    fn below(&self, request: &Value) -> Result<Vec<(&String, &Parameter)>, Failure> {
        let path = request["Path"].as_str().filter(|path| path.starts_with('/'));
        let path = path.ok_or_else(|| {
            invalid_request("The parameter path must begin with a slash.".to_owned())
        })?;
        let folder = format!("{}/", path.trim_end_matches('/'));
        let recursive = request["Recursive"].as_bool().unwrap_or_default();
        let is_below = |name: &str| {
            name.strip_prefix(&folder).is_some_and(|rest| recursive || !rest.contains('/'))
        };
        Ok(self.parameters.iter().filter(|(name, _)| is_below(name)).collect())
    }

    fn page_size(&self, max: usize, rng: &mut fastrand::Rng) -> usize {
        if self.short_pages > 0.0 && rng.f64() < self.short_pages { rng.usize(..max) } else { max }
    }
}

impl Parameter {
    fn to_json(&self, name: &str, decrypted: bool) -> Value {
        json!({
            "Name": name,
            "Type": self.kind.name(),
            "Value": self.visible_value(name, decrypted),
            "Version": self.version,
            "LastModifiedDate": self.put_at / SECOND,
            "ARN": parameter_arn(name),
            "DataType": "text",
        })
    }

    /// The ciphertext reveals nothing of the value, and differs between versions.
    fn visible_value(&self, name: &str, decrypted: bool) -> String {
        match self.kind {
            Kind::SecureString if !decrypted => {
                let text = format!("{name}, version {}", self.version);
                format!("AQICAH{}", BASE64.encode(text.as_bytes()))
            }
            _ => self.value.clone(),
        }
    }
}

fn read_names(request: &Value) -> Result<Vec<&str>, Failure> {
    let names = request["Names"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !(1..=MAX_PARAMETERS).contains(&names.len()) {
        let message = "Member 'names' must have a length between 1 and 10.";
        return Err(invalid_request(message.to_owned()));
    }
    let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap_or_default()).collect();
    if names.iter().enumerate().any(|(index, name)| names[..index].contains(name)) {
        return Err(invalid_request("Duplicate parameter names.".to_owned()));
    }
    Ok(names)
}

fn read_max_results(request: &Value) -> Result<usize, Failure> {
    let Some(max) = request["MaxResults"].as_i64() else { return Ok(MAX_PARAMETERS) };
    let valid = usize::try_from(max).ok().filter(|max| (1..=MAX_PARAMETERS).contains(max));
    valid.ok_or_else(|| invalid_request("Member 'maxResults' must be from 1 to 10.".to_owned()))
}

/// The model supports one filter, `Type` `Equals` one value.
fn read_type_filter(request: &Value) -> Result<Option<&str>, Failure> {
    let filters = request["ParameterFilters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [filter] = filters else {
        let unsupported = || invalid_request("The model supports one filter.".to_owned());
        return if filters.is_empty() { Ok(None) } else { Err(unsupported()) };
    };
    match (&filter["Key"], &filter["Option"], filter["Values"].as_array().map(Vec::as_slice)) {
        (Value::String(key), Value::String(option), Some([Value::String(kind)]))
            if key == "Type" && option == "Equals" =>
        {
            Ok(Some(kind))
        }
        _ => Err(invalid_request("The model supports only the filter by type.".to_owned())),
    }
}

fn is_decrypted(request: &Value) -> bool {
    request["WithDecryption"].as_bool().unwrap_or_default()
}

/// Names the first parameter of the next page. No two tokens are equal: a paginator would take an
/// equal one for a loop.
fn page_token(answered: u64, name: &str) -> String {
    BASE64.encode(format!("{answered} {name}").as_bytes())
}

fn read_page_token(token: &str) -> Result<String, Failure> {
    let text = BASE64.decode(token.as_bytes()).ok().and_then(|text| String::from_utf8(text).ok());
    let name = text.as_deref().and_then(|text| text.split_once(' '));
    name.map(|(_, name)| name.to_owned()).ok_or_else(invalid_page_token)
}
