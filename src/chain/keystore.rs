//! Keystore files, checked before anything is derived: what a file asks for costs memory and time,
//! and nobody vouches for a file.

use serde::Deserialize;

/// Most bytes of a keystore file that are read. One with long names in it has about 600.
pub(super) const MAX_FILE_BYTES: u64 = 64 << 10;
/// Most bytes that scrypt may need: 128 n r p. Geth's standard takes 256 MiB.
const MAX_SCRYPT_BYTES: u128 = 1 << 30;
/// Most rounds of PBKDF2; Geth and `cast` read files with 262,144.
const MAX_ROUNDS: u64 = 10_000_000;

/// A parameter of a keystore that is not what it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadParameter {
    /// Its name in the file.
    pub name: &'static str,
    /// What is taken.
    pub expected: String,
    /// What the file says; of hexadecimal text only its length.
    pub found: String,
}

impl std::fmt::Display for BadParameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected {} {}, found {}", self.name, self.expected, self.found)
    }
}

/// Why a keystore is not opened.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is no keystore at all.
    Form(serde_json::Error),
    /// The first parameter that is wrong.
    Parameter(BadParameter),
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Form(error)
    }
}

impl From<BadParameter> for Fault {
    fn from(parameter: BadParameter) -> Self {
        Self::Parameter(parameter)
    }
}

/// A V3 keystore, as far as it says how it is opened.
#[derive(Deserialize)]
struct Keystore {
    version: u64,
    crypto: Crypto,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParameters,
    ciphertext: String,
    kdf: String,
    kdfparams: KdfParameters,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParameters {
    iv: String,
}

/// The parameters of both functions: which one is used is decided by their names, so all that are
/// there are checked.
#[derive(Deserialize)]
struct KdfParameters {
    dklen: u64,
    salt: String,
    n: Option<u64>,
    r: Option<u64>,
    p: Option<u64>,
    c: Option<u64>,
    prf: Option<String>,
}

/// Checks that a keystore can be opened with bounded memory and time, and without a panic.
///
/// # Errors
/// [`Fault`].
pub(super) fn check(text: &[u8]) -> Result<(), Fault> {
    let keystore: Keystore = serde_json::from_slice(text)?;
    let crypto = &keystore.crypto;
    number("version", keystore.version, 3..=3)?;
    one_of("cipher", &crypto.cipher, &["aes-128-ctr"])?;
    hexadecimal("iv", &crypto.cipherparams.iv, 16..=16)?;
    hexadecimal("ciphertext", &crypto.ciphertext, 32..=32)?;
    hexadecimal("mac", &crypto.mac, 32..=32)?;
    one_of("kdf", &crypto.kdf, &["scrypt", "pbkdf2"])?;
    let parameters = &crypto.kdfparams;
    number("dklen", parameters.dklen, 32..=32)?;
    hexadecimal("salt", &parameters.salt, 8..=64)?;
    let scrypt = parameters.n.is_some() || parameters.r.is_some() || parameters.p.is_some();
    if scrypt || crypto.kdf == "scrypt" {
        check_scrypt(parameters)?;
    }
    if parameters.c.is_some() || crypto.kdf == "pbkdf2" {
        number("c", there("c", parameters.c)?, 1..=MAX_ROUNDS)?;
        one_of("prf", parameters.prf.as_deref().unwrap_or("none"), &["hmac-sha256"])?;
    }
    Ok(())
}

fn check_scrypt(parameters: &KdfParameters) -> Result<(), BadParameter> {
    let (n, r, p) = (there("n", parameters.n)?, there("r", parameters.r)?, there("p", parameters.p)?);
    if !n.is_power_of_two() || n < 2 {
        return Err(bad("n", "to be a power of two", n));
    }
    number("r", r, 1..=MAX_ROUNDS)?;
    number("p", p, 1..=MAX_ROUNDS)?;
    let bytes = u128::from(n) * u128::from(r) * u128::from(p) * 128;
    if bytes > MAX_SCRYPT_BYTES {
        let expected = format!("with r {r} and p {p} to need at most {MAX_SCRYPT_BYTES} bytes");
        return Err(bad("n", &expected, format!("{n}, which needs {bytes}")));
    }
    // RFC 7914, section 2: n is less than 2^(16 r).
    if u64::from(n.ilog2()) >= 16 * r {
        return Err(bad("n", &format!("to be less than 2^{}", 16 * r), n));
    }
    Ok(())
}

fn there(name: &'static str, value: Option<u64>) -> Result<u64, BadParameter> {
    value.ok_or_else(|| bad(name, "to be there", "none"))
}

fn number(name: &'static str, found: u64, allowed: std::ops::RangeInclusive<u64>) -> Result<(), BadParameter> {
    if allowed.contains(&found) {
        return Ok(());
    }
    let (least, most) = allowed.into_inner();
    let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
    Err(bad(name, &expected, found))
}

fn one_of(name: &'static str, found: &str, allowed: &[&str]) -> Result<(), BadParameter> {
    if allowed.contains(&found) {
        return Ok(());
    }
    // Whoever wrote the file does not write to the terminal.
    let found: String = found.chars().take(32).collect();
    Err(bad(name, &allowed.join(" or "), format!("{found:?}")))
}

fn hexadecimal(name: &'static str, text: &str, bytes: std::ops::RangeInclusive<usize>) -> Result<(), BadParameter> {
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits && text.len().is_multiple_of(2) && bytes.contains(&(text.len() / 2)) {
        return Ok(());
    }
    let (least, most) = bytes.into_inner();
    let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
    let found = if digits { format!("{} digits", text.len()) } else { "other characters".to_owned() };
    Err(bad(name, &format!("to be {expected} bytes in hexadecimal digits"), found))
}

fn bad(name: &'static str, expected: &str, found: impl std::fmt::Display) -> BadParameter {
    BadParameter { name, expected: expected.to_owned(), found: found.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn keystore() -> Value {
        serde_json::from_str(include_str!("testdata/keystore.json")).expect("JSON")
    }

    fn refused(change: impl FnOnce(&mut Value)) -> BadParameter {
        let mut keystore = keystore();
        change(&mut keystore);
        match check(keystore.to_string().as_bytes()) {
            Err(Fault::Parameter(parameter)) => parameter,
            other => panic!("no parameter is named: {other:?}"),
        }
    }

    #[test]
    fn every_parameter_has_bounds() {
        check(keystore().to_string().as_bytes()).expect("as cast writes it");
        let scrypt = |name: &'static str, value: u64| {
            move |keystore: &mut Value| keystore["crypto"]["kdfparams"][name] = json!(value)
        };
        for (name, value) in [
            ("n", 0),
            ("n", 1),
            ("n", 8191),
            ("n", 1 << 21),
            ("n", 1 << 26),
            ("n", 1 << 63),
            ("r", 0),
            ("r", u64::MAX),
            ("p", 0),
            ("p", u64::MAX),
            ("dklen", 16),
            ("dklen", 31),
            ("dklen", 288),
        ] {
            assert_eq!(refused(scrypt(name, value)).name, name, "{name} {value}");
        }
        let large = refused(scrypt("n", 1 << 21));
        assert_eq!(large.found, "2097152, which needs 2147483648");
        let mut most = keystore();
        scrypt("n", 1 << 20)(&mut most);
        check(most.to_string().as_bytes()).expect("1 GiB is allowed");
        for (path, name) in
            [("/crypto/cipherparams/iv", "iv"), ("/crypto/ciphertext", "ciphertext"), ("/crypto/mac", "mac")]
        {
            for text in ["", "0", "0102", "0x030303030303030303030303030303"] {
                let parameter = refused(|keystore| *keystore.pointer_mut(path).expect("there") = json!(text));
                assert_eq!(parameter.name, name, "{text}");
            }
        }
        assert_eq!(refused(|keystore| keystore["crypto"]["kdfparams"]["salt"] = json!("aa")).name, "salt");
        assert_eq!(
            refused(|keystore| keystore["crypto"]["cipher"] = json!("none\u{1b}[2J")).found,
            "\"none\\u{1b}[2J\""
        );
        assert_eq!(refused(|keystore| keystore["version"] = json!(1)).name, "version");
        assert_eq!(refused(|keystore| keystore["crypto"]["kdf"] = json!("argon2id")).name, "kdf");
    }

    #[test]
    fn rounds_are_bounded_whatever_the_function_is_called() {
        let rounds = |c: u64| json!({"c": c, "dklen": 32, "prf": "hmac-sha256", "salt": "ab".repeat(32)});
        for c in [0, MAX_ROUNDS + 1, u64::from(u32::MAX)] {
            for kdf in ["pbkdf2", "scrypt"] {
                let parameter = refused(|keystore| {
                    keystore["crypto"]["kdf"] = json!(kdf);
                    keystore["crypto"]["kdfparams"] = rounds(c);
                });
                // Of a scrypt without n the missing n is named.
                assert_eq!(parameter.name, if kdf == "scrypt" { "n" } else { "c" });
            }
        }
        let mut fine = keystore();
        fine["crypto"]["kdf"] = json!("pbkdf2");
        fine["crypto"]["kdfparams"] = rounds(262_144);
        check(fine.to_string().as_bytes()).expect("as others write it");
        let prf = refused(|keystore| {
            keystore["crypto"]["kdf"] = json!("pbkdf2");
            keystore["crypto"]["kdfparams"] = rounds(1);
            keystore["crypto"]["kdfparams"]["prf"] = json!("hmac-md5");
        });
        assert_eq!(prf.name, "prf");
    }

    #[test]
    fn what_is_no_keystore_has_no_parameter() {
        for text in ["", "correct horse\n", "{}", "[]", r#"{"version":3,"crypto":{"kdfparams":{"n":-1}}}"#] {
            assert!(matches!(check(text.as_bytes()), Err(Fault::Form(_))), "{text}");
        }
    }
}
