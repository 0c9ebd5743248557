//! The style sheet, with the shop's colour where it is readable.

use domain::page::{Colour, ShopPage};

const SHEET: &str = include_str!("../assets/track.css");

/// `--bg` and `--card` of the sheet.
const LIGHT: [Colour; 2] = [Colour::new(0xff, 0xff, 0xff), Colour::new(0xf5, 0xf6, 0xf8)];
const DARK: [Colour; 2] = [Colour::new(0x12, 0x14, 0x17), Colour::new(0x1d, 0x21, 0x26)];

pub(crate) fn sheet(shop: &ShopPage) -> String {
    let Some(colour) = shop.colour else { return SHEET.to_owned() };
    let mut sheet = SHEET.to_owned();
    for (scheme, backgrounds) in [("light", LIGHT), ("dark", DARK)] {
        if colour.is_readable_on(&backgrounds) {
            sheet += &format!(
                "@media (prefers-color-scheme: {scheme}) {{ :root {{ --accent: {colour} }} }}\n"
            );
        }
    }
    sheet
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The built one shortens colours.
    const SOURCE: &str = include_str!("../web/page.css");

    fn sheet_of(colour: &str) -> String {
        let colour = Some(Colour::parse(colour).unwrap());
        sheet(&ShopPage { colour, ..ShopPage::default() })
    }

    #[test]
    fn uses_a_colour_only_where_it_is_readable() {
        for (colour, light, dark) in
            [("#0a5d23", true, false), ("#ffdd55", false, true), ("#808080", false, false)]
        {
            let sheet = sheet_of(colour);
            let has = |scheme: &str| {
                sheet.contains(&format!("{scheme}) {{ :root {{ --accent: {colour} }}"))
            };
            assert_eq!((has("light"), has("dark")), (light, dark), "{colour}");
        }
    }

    #[test]
    fn knows_the_backgrounds_of_the_sheet() {
        for colour in LIGHT.iter().chain(&DARK) {
            assert!(SOURCE.contains(&format!(": {colour};")), "{colour}");
        }
    }
}
