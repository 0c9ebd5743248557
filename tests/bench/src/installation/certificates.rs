//! The certificates of the doubles, and the root that clients trust.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_RSA_SHA256,
    RsaKeySize,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use crate::Error;

/// Where Debian and Amazon Linux keep the roots of the machine.
const SYSTEM_ROOTS: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

pub(super) struct Certificates {
    pub(super) server: Arc<ServerConfig>,
    /// The root alone, for AWS clients.
    pub(super) of_aws: PathBuf,
    /// The machine's roots and that one, for the client of customers' servers.
    pub(super) of_internet: PathBuf,
}

impl Certificates {
    /// Writes the files of roots to `directory`.
    pub(super) fn new(directory: &Path) -> Result<Self, Error> {
        let root = CertifiedIssuer::self_signed(authority("root"), rsa_key()?)?;
        let issuing = CertifiedIssuer::signed_by(authority("issuing"), rsa_key()?, &root)?;
        let key = rsa_key()?;
        let name = vec!["localhost".to_owned()];
        let certificate = CertificateParams::new(name)?.signed_by(&key, &issuing)?;
        let chain = vec![certificate.der().clone(), issuing.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        let server = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
        let (of_aws, of_internet) = (directory.join("aws.pem"), directory.join("internet.pem"));
        let root = pem(root.der());
        fs::write(&of_aws, &root)?;
        let system = SYSTEM_ROOTS.iter().find_map(|file| fs::read(file).ok());
        let mut file = fs::File::create(&of_internet)?;
        file.write_all(&system.ok_or("the machine has no file of root certificates")?)?;
        file.write_all(root.as_bytes())?;
        Ok(Self { server: Arc::new(server), of_aws, of_internet })
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut authority = CertificateParams::default();
    // OpenSSL takes a certificate for self-signed if its subject is its issuer.
    authority.distinguished_name.push(DnType::CommonName, format!("{name} of the benchmark"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority
}

/// As in the certificates of AWS's endpoints, which an authority below the root has issued.
fn rsa_key() -> Result<KeyPair, Error> {
    Ok(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?)
}

fn pem(certificate: &[u8]) -> String {
    let encoded = BASE64.encode(certificate);
    let lines: Vec<&str> = (0..encoded.len())
        .step_by(64)
        .filter_map(|from| encoded.get(from..encoded.len().min(from + 64)))
        .collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
