//! The settings as flags.

/// The flags that every command takes. Each one left out is looked up further down.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings (flag, then environment, then .env and medseal.toml, then your own)")]
pub(in crate::cli) struct Flags {
    /// Folder of all state, one folder for each actor in it [env: MEDSEAL_HOME] [default: .medseal]
    #[arg(long, global = true, value_name = "DIR")]
    pub(in crate::cli) home: Option<String>,
    /// Who acts: names the state folder and, on a development chain, the wallet [env:
    /// MEDSEAL_ACTOR]
    #[arg(long = "as", global = true, value_name = "ACTOR")]
    pub(in crate::cli) actor: Option<String>,
    /// The Ethereum node, or several with commas between their URLs [env: ETH_RPC_URL] [default:
    /// http://127.0.0.1:8545]
    #[arg(long, short = 'r', global = true, value_name = "URL")]
    pub(in crate::cli) rpc_url: Option<String>,
    /// Refuse any other chain [env: MEDSEAL_CHAIN_ID] [default: the one with a deployment file]
    #[arg(long, global = true, value_name = "ID")]
    pub(in crate::cli) chain_id: Option<String>,
    /// What the chain is: development (mined is done) or network (finalized is done) [env:
    /// MEDSEAL_PROFILE] [default: by the chain id]
    #[arg(long, global = true, value_name = "PROFILE")]
    pub(in crate::cli) profile: Option<String>,
    /// How deep a transaction must be in a network's chain before the command ends: mined, safe,
    /// finalized [env: MEDSEAL_WAIT] [default: depends on the command]
    #[arg(long, global = true, value_name = "DEPTH")]
    pub(in crate::cli) wait: Option<String>,
    /// The most that a transaction may cost, in ETH; one that may cost more is not signed [env:
    /// MEDSEAL_FEE_CEILING] [default: 1]
    #[arg(long, global = true, value_name = "ETH")]
    pub(in crate::cli) fee_ceiling: Option<String>,
    /// Send behind transactions of this wallet that another program sent and that are not mined
    /// yet, instead of waiting for them
    #[arg(long, global = true)]
    pub(in crate::cli) after_pending: bool,
    /// Folder of the deployment files [env: MEDSEAL_DEPLOYMENTS] [default: deployments]
    #[arg(long, global = true, value_name = "DIR")]
    pub(in crate::cli) deployments: Option<String>,
    /// Wallet: a keystore file as cast and geth write it [env: ETH_KEYSTORE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) keystore: Option<String>,
    /// File that holds the keystore's passphrase [env: ETH_PASSWORD]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) password_file: Option<String>,
    /// Wallet: a development account by number, on development chains only [env:
    /// MEDSEAL_DEV_ACCOUNT]
    #[arg(long, global = true, value_name = "N")]
    pub(in crate::cli) dev_account: Option<String>,
    /// URLs of the KGCs, with commas between several [env: MEDSEAL_KGC] [default: the key file in
    /// the state folder]
    #[arg(long, global = true, value_name = "URL")]
    pub(in crate::cli) kgc_url: Option<String>,
    /// Authorities to trust for the KGC's TLS besides the usual, PEM [env: MEDSEAL_KGC_CA]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) kgc_ca: Option<String>,
    /// File that holds the passphrase of the KGC's key file [env: MEDSEAL_KGC_PASSWORD]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) kgc_password_file: Option<String>,
    /// IPFS nodes that store the sealed images: their RPC URLs, separated by commas [env: IPFS_API]
    /// [default: a folder of blocks in the state folder]
    #[arg(long, global = true, value_name = "URLS")]
    pub(in crate::cli) ipfs_api: Option<String>,
    /// File that holds the token of the IPFS nodes: one line for all, or a line for each [env:
    /// MEDSEAL_IPFS_TOKEN_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) ipfs_token_file: Option<String>,
    /// How many of the IPFS nodes keep each object [env: MEDSEAL_REPLICAS] [default: 1]
    #[arg(long, global = true, value_name = "N")]
    pub(in crate::cli) replicas: Option<String>,
    /// The anvil program [env: MEDSEAL_ANVIL] [default: on the PATH, else as scripts/setup installs
    /// it]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) anvil: Option<String>,
    /// ONNX Runtime's shared library, by its absolute path: runs the transformer in place of the
    /// built-in engine [env: MEDSEAL_ONNX_RUNTIME]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) onnx_runtime: Option<String>,
    /// Another transformer: an ONNX file whose SHA-256 is listed in MEDSEAL_MODELS [env:
    /// MEDSEAL_MODEL] [default: the built-in one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) model: Option<String>,
    // Last: its heading is for all that follows.
    #[command(flatten)]
    pub(in crate::cli) external_signer: crate::cli::signers::ExternalSigner,
}
