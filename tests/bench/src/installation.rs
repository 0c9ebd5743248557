//! The measured installation: the account, and processes of its functions.

mod account;
mod certificates;
pub(crate) mod internet;
pub(crate) mod requests;
mod settings;

use std::env;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

pub(crate) use self::account::{Account, Call, OTHERS};
use self::certificates::Certificates;
use crate::Error;
use crate::sandbox::Sandbox;

const TEMPLATE: &str = "template.yaml";

/// Of programs that are no function of the template.
const DEFAULT_MEMORY: u64 = 256;

pub(crate) struct Installation {
    pub(crate) account: Arc<Account>,
    /// For reports and logs.
    pub(crate) directory: PathBuf,
    address: SocketAddr,
    certificates: Certificates,
    programs: PathBuf,
}

impl Installation {
    /// Reads `template.yaml` of the working directory. The programs are beside the running one.
    pub(crate) fn new() -> Result<Self, Error> {
        let program = env::current_exe()?;
        let programs = program.parent().ok_or("the program has no directory")?.to_owned();
        let directory = programs.parent().ok_or("no target directory")?.join("bench");
        fs::create_dir_all(&directory)?;
        remove_logs(&directory)?;
        let certificates = Certificates::new(&directory)?;
        let template = fs::read_to_string(TEMPLATE).map_err(|error| {
            format!("{TEMPLATE}: {error}: run this in the directory of the project")
        })?;
        let account = Account::new(&template)?;
        let address = account.serve(&certificates)?;
        Ok(Self { account, directory, address, certificates, programs })
    }

    /// In MiB.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        self.account.function(name).map_or(DEFAULT_MEMORY, |function| function.memory_mib)
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    pub(crate) fn start(&self, name: &str) -> Result<Sandbox, Error> {
        self.start_program(name, name)
    }

    pub(crate) fn start_program(&self, name: &str, program: &str) -> Result<Sandbox, Error> {
        self.start_as(name, Command::new(self.program(program)))
    }

    /// Starts a command as the function of this name.
    pub(crate) fn start_as(&self, name: &str, mut command: Command) -> Result<Sandbox, Error> {
        command.env_clear().envs(self.environment(name));
        let log = self.directory.join(format!("{name}.log"));
        Sandbox::start(command, File::options().create(true).append(true).open(log)?)
    }

    /// A process that has asked for its first event.
    pub(crate) fn warm(&self, name: &str) -> Result<Sandbox, Error> {
        let sandbox = self.start(name)?;
        sandbox.initialised()?;
        Ok(sandbox)
    }

    pub(crate) fn queue(&self, name: &str) -> Result<&str, Error> {
        let source = self.account.function(name)?.queues.first();
        Ok(source.ok_or("the function has no queue")?.queue.as_str())
    }

    /// Of the doubles.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    fn environment(&self, name: &str) -> Vec<(String, String)> {
        let memory = self.memory(name).to_string();
        let (url, file) = (self.url(), |path: &Path| path.display().to_string());
        let mut environment: Vec<(String, String)> = [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "bench"),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("AWS_CA_BUNDLE", &file(&self.certificates.of_aws)),
            ("SSL_CERT_FILE", &file(&self.certificates.of_internet)),
            ("NODE_EXTRA_CA_CERTS", &file(&self.certificates.of_internet)),
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
            ("AWS_LAMBDA_LOG_STREAM_NAME", name),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let own = self.account.function(name).map(|function| function.environment.clone());
        environment.extend(own.unwrap_or_default());
        for (name, value) in &mut environment {
            if name == "SOCKETS_URL" {
                *value = format!("{url}/live");
            }
        }
        environment
    }
}

/// Of an earlier run: processes append to them.
fn remove_logs(directory: &Path) -> io::Result<()> {
    for file in fs::read_dir(directory)? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "log") {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}
