//! The tokens of expressions.

use crate::dynamodb::Failure;

/// A parser's place in an expression.
pub(super) struct Tokens<'a> {
    tokens: Vec<&'a str>,
    /// The number of the next token.
    pub(super) place: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Result<Self, Failure> {
        let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
        while !rest.is_empty() {
            let (token, after) = rest.split_at(token_length(rest));
            if token == "." || token == "[" {
                return Err(Failure::not_modelled(format_args!("paths into an attribute: {text}")));
            }
            tokens.push(token);
            rest = after.trim_start();
        }
        if tokens.is_empty() {
            return Err(Failure::validation(
                "Invalid expression: The expression can not be empty;",
            ));
        }
        Ok(Self { tokens, place: 0 })
    }

    pub(super) fn next(&mut self) -> Result<&'a str, Failure> {
        let token = self.peek().ok_or_else(|| syntax_error("<EOF>"))?;
        self.place += 1;
        Ok(token)
    }

    pub(super) fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.place).copied()
    }

    /// Skips the next token if it is this one. Returns whether it was.
    pub(super) fn take(&mut self, token: &str) -> bool {
        let is_next = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(token));
        self.place += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, token: &str) -> Result<(), Failure> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Fails unless the whole expression is read.
    pub(super) fn end(&self) -> Result<(), Failure> {
        if self.peek().is_none() { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Failure {
        syntax_error(self.peek().unwrap_or("<EOF>"))
    }
}

fn token_length(text: &str) -> usize {
    let start = usize::from(text.starts_with(['#', ':']));
    let word = text.bytes().skip(start).take_while(|byte| is_in_word(*byte)).count();
    match start + word {
        0 if ["<=", ">=", "<>"].iter().any(|two| text.starts_with(two)) => 2,
        0 => text.chars().next().map_or(1, char::len_utf8),
        length => length,
    }
}

pub(super) fn syntax_error(token: &str) -> Failure {
    Failure::validation(format!("Invalid expression: Syntax error; token: \"{token}\""))
}

pub(super) fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
