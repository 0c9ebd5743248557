//! The machine's root certificates. A thread of its own reads them, some milliseconds of work,
//! while the function opens its connections to AWS.

use std::io;
use std::sync::{Arc, LazyLock};
use std::thread;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// Waits for the certificates where it needs them.
#[derive(Debug)]
pub(crate) struct SystemRoots {
    verifier: LazyLock<Result<Verifier, Error>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl SystemRoots {
    /// Begins to read them.
    pub(crate) fn read() -> io::Result<Arc<Self>> {
        let provider = || Verifier::new(Arc::new(aws_lc_rs::default_provider()));
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        let roots = Arc::new(Self { verifier: LazyLock::new(provider), algorithms });
        let reading = Arc::clone(&roots);
        thread::Builder::new().name("roots".to_owned()).spawn(move || drop(reading.verifier()))?;
        Ok(roots)
    }

    /// Fails without any.
    pub(crate) fn verifier(&self) -> Result<&Verifier, Error> {
        self.verifier.as_ref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for SystemRoots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = self.verifier()?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
