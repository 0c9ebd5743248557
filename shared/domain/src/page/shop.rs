//! Reads the setting `accounts/{code}/page`: how a shop's tracking pages look.

use serde::Deserialize;

use super::colour::Colour;
use super::setting::{InvalidPageSetting, invalid, is_web_url, read};
use crate::core::deserialize::Object;
use crate::messaging::rules::Zone;

const NAME_CHARS: usize = 80;
const LINK_CHARS: usize = 40;
const MAX_LINKS: usize = 5;
const ZONE: &str = "must be an IANA time zone such as Asia/Kolkata";

/// The setting `accounts/{code}/page`. Without it pages have no shop's name, and times in UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct ShopPage {
    pub name: Option<String>,
    /// Of https.
    pub logo_url: Option<String>,
    pub colour: Option<Colour>,
    pub links: Vec<Link>,
    /// Codes, e.g. `hi`, in the order of the switch; empty for all.
    pub languages: Vec<String>,
    pub zone: Zone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub text: String,
    /// Of `https`, `mailto` or `tel`.
    pub url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPage {
    name: Option<String>,
    logo_url: Option<String>,
    colour: Option<String>,
    links: Option<Vec<Object<RawLink>>>,
    languages: Option<Vec<String>>,
    zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLink {
    text: String,
    url: String,
}

impl Default for ShopPage {
    fn default() -> Self {
        Self {
            name: None,
            logo_url: None,
            colour: None,
            links: Vec::new(),
            languages: Vec::new(),
            zone: Zone::utc(),
        }
    }
}

impl ShopPage {
    /// `known` are the languages that the page has.
    pub fn parse(text: &str, known: &[&str]) -> Result<Self, InvalidPageSetting> {
        let raw: RawPage = read(text)?;
        let colour = raw.colour.as_deref().map(Colour::parse);
        if colour == Some(None) {
            return invalid("colour", "must be a colour such as #0a7d33");
        }
        if raw.logo_url.as_deref().is_some_and(|url| !is_https(url)) {
            return invalid("logo_url", "must be an https URL");
        }
        let zone = raw.zone.as_deref().map(Zone::parse);
        Ok(Self {
            name: raw.name.as_deref().map(|name| label("name", name, NAME_CHARS)).transpose()?,
            logo_url: raw.logo_url,
            colour: colour.flatten(),
            links: links(raw.links.unwrap_or_default())?,
            languages: languages(raw.languages.unwrap_or_default(), known)?,
            zone: zone
                .unwrap_or_else(|| Some(Zone::utc()))
                .map_or_else(|| invalid("zone", ZONE), Ok)?,
        })
    }
}

fn links(raw: Vec<Object<RawLink>>) -> Result<Vec<Link>, InvalidPageSetting> {
    if raw.len() > MAX_LINKS {
        return invalid("links", "must not be more than 5");
    }
    let link = |(index, Object(RawLink { text, url })): (usize, Object<RawLink>)| {
        let is_contact = ["mailto:", "tel:"].iter().any(|scheme| url.starts_with(scheme))
            && url.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_contact && !is_https(&url) {
            let message = "must be an https, mailto or tel URL";
            return invalid(format!("links[{index}].url"), message);
        }
        Ok(Link { text: label(&format!("links[{index}].text"), &text, LINK_CHARS)?, url })
    };
    raw.into_iter().enumerate().map(link).collect()
}

fn languages(codes: Vec<String>, known: &[&str]) -> Result<Vec<String>, InvalidPageSetting> {
    if codes.iter().all(|code| known.contains(&code.as_str())) {
        return Ok(codes);
    }
    invalid("languages", format!("must be of {}", known.join(", ")))
}

fn label(field: &str, text: &str, limit: usize) -> Result<String, InvalidPageSetting> {
    let text = text.trim();
    let is_label = (1..=limit).contains(&text.chars().count()) && !text.contains(char::is_control);
    if is_label {
        return Ok(text.to_owned());
    }
    invalid(field, format!("must be one line of 1 to {limit} characters"))
}

fn is_https(url: &str) -> bool {
    url.starts_with("https://")
        && is_web_url(url.split(['?', '#']).next().unwrap_or_default())
        && url.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KNOWN: [&str; 2] = ["en", "hi"];

    #[test]
    fn reads_every_setting() {
        let page = ShopPage::parse(
            r##"{"name":" Chai & Co ","logo_url":"https://shop.example/l.svg?v=2",
                "colour":"#0a7d33","languages":["hi","en"],"zone":"Asia/Kolkata",
                "links":[{"text":"Help","url":"https://shop.example/help#top"},
                         {"text":"Call","url":"tel:+911234"}]}"##,
            &KNOWN,
        )
        .unwrap();
        assert_eq!(page.name.as_deref(), Some("Chai & Co"));
        assert_eq!(page.colour, Some(Colour::new(0x0a, 0x7d, 0x33)));
        assert_eq!((page.languages, page.links.len()), (vec!["hi".into(), "en".into()], 2));
        assert_eq!(page.zone, Zone::parse("Asia/Kolkata").unwrap());
    }

    #[test]
    fn nothing_is_required() {
        let page = ShopPage::parse(r#"{"name":null,"links":null}"#, &KNOWN).unwrap();
        assert_eq!(page, ShopPage::default());
    }

    #[test]
    fn rejects_invalid_settings() {
        for (text, field) in [
            ("", "."),
            ("[]", "."),
            (r#"{"name":""}"#, "name"),
            (r#"{"name":"a\nb"}"#, "name"),
            (r#"{"names":"a"}"#, "names"),
            (r#"{"colour":"red"}"#, "colour"),
            (r#"{"logo_url":"http://shop.example/l.png"}"#, "logo_url"),
            (r#"{"logo_url":"https://shop.example/l.png; x"}"#, "logo_url"),
            (r#"{"logo_url":"data:image/png;base64,AA"}"#, "logo_url"),
            (r#"{"languages":["fr"]}"#, "languages"),
            (r#"{"zone":"Mars"}"#, "zone"),
            (r#"{"links":[{"text":"a","url":"javascript:alert(1)"}]}"#, "links[0].url"),
            (r#"{"links":[{"text":"a","url":"https://a b"}]}"#, "links[0].url"),
            (r#"{"links":[{"text":"","url":"https://a.example"}]}"#, "links[0].text"),
        ] {
            assert_eq!(ShopPage::parse(text, &KNOWN).unwrap_err().field, field, "{text}");
        }
    }
}
