//! The colour of a shop, where it is readable (WCAG 2.2, contrast).

/// Of text, level AA.
const MIN_CONTRAST: f64 = 4.5;

/// sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let channel = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self([channel(0)?, channel(2)?, channel(4)?]))
    }

    /// True if text of this colour is readable on all of these backgrounds.
    pub fn is_readable_on(self, backgrounds: &[Self]) -> bool {
        backgrounds.iter().all(|background| self.contrast(*background) >= MIN_CONTRAST)
    }

    /// 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    const WHITE: Colour = Colour::new(255, 255, 255);
    const BLACK: Colour = Colour::new(0, 0, 0);

    /// Figures of WebAIM's contrast checker.
    #[test]
    fn computes_contrast() {
        for (text, expected) in
            [("#000000", 21.0), ("#ffffff", 1.0), ("#767676", 4.54), ("#777777", 4.48)]
        {
            let contrast = Colour::parse(text).unwrap().contrast(WHITE);
            assert!((contrast - expected).abs() < 0.01, "{text}: {contrast}");
        }
    }

    #[test]
    fn a_colour_must_be_readable_on_every_background() {
        let grey = Colour::parse("#767676").unwrap();
        assert!(grey.is_readable_on(&[WHITE]) && grey.is_readable_on(&[BLACK]));
        assert!(!Colour::parse("#ffee00").unwrap().is_readable_on(&[BLACK, WHITE]));
    }

    #[test]
    fn reads_six_digits_only() {
        assert_eq!(Colour::parse("#0aB1c2").unwrap().to_string(), "#0ab1c2");
        for text in ["", "#fff", "0ab1c2", "#0ab1cg", "#+ab1c2", "#0ab1c2d", "red", "#ééé"] {
            assert_eq!(Colour::parse(text), None, "{text}");
        }
    }
}
