//! The table of settings: how each is named in `medseal.toml`, in the environment and as a flag,
//! whether files of the working folder may hold it, and its default.

use super::Flags;

/// Who may give a setting its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum GivenBy {
    /// `.env` and `medseal.toml` of the working folder, too.
    Anywhere,
    /// Flags, the environment and the user's own configuration folder. The working folder may have
    /// come from somebody else, with the scans in it: nothing there loads code, weakens a check, or
    /// says which secret goes over the network.
    User,
}
use GivenBy::{Anywhere, User};

/// What is known of a setting.
pub(in crate::cli) struct Row {
    /// Its name in `medseal.toml`.
    pub(in crate::cli) name: &'static str,
    /// Its environment variable, which may stand in `.env` too.
    pub(in crate::cli) variable: &'static str,
    /// Who may give it its value.
    pub(super) given_by: GivenBy,
    /// Its value where nothing sets it.
    pub(super) default: Option<&'static str>,
    /// Its value on the command line; none for a setting that is no flag.
    pub(super) flag: Option<fn(&Flags) -> &Option<String>>,
}

/// Makes [`Setting`] of the table's rows.
macro_rules! settings {
    ($($setting:ident $name:literal $variable:literal $given_by:ident, $default:expr, $flag:expr;)+) => {
        /// A setting by its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(in crate::cli) enum Setting {
            $($setting,)+
        }

        impl Setting {
            /// Every setting.
            pub(super) const ALL: &[Self] = &[$(Self::$setting),+];

            /// What is known of it.
            pub(in crate::cli) fn row(self) -> Row {
                match self {
                    $(Self::$setting => {
                        Row { name: $name, variable: $variable, given_by: $given_by, default: $default, flag: $flag }
                    })+
                }
            }
        }
    };
}

settings! {
    Home            "home"              "MEDSEAL_HOME"            Anywhere, Some(".medseal"), Some(|f| &f.home);
    Actor           "actor"             "MEDSEAL_ACTOR"           Anywhere, None, Some(|f| &f.actor);
    RpcUrl          "rpc_url"           "ETH_RPC_URL"             Anywhere, Some("http://127.0.0.1:8545"), Some(|f| &f.rpc_url);
    ChainId         "chain_id"          "MEDSEAL_CHAIN_ID"        Anywhere, None, Some(|f| &f.chain_id);
    Profile         "profile"           "MEDSEAL_PROFILE"         User,     None, Some(|f| &f.profile);
    BlockTime       "block_time"        "MEDSEAL_BLOCK_TIME"      User,     None, None;
    ReadTime        "read_time"         "MEDSEAL_READ_TIME"       Anywhere, None, None;
    Wait            "wait"              "MEDSEAL_WAIT"            Anywhere, None, Some(|f| &f.wait);
    FeeCeiling      "fee_ceiling"       "MEDSEAL_FEE_CEILING"     User,     Some("1"), Some(|f| &f.fee_ceiling);
    RelayGas        "relay_gas"         "MEDSEAL_RELAY_GAS"       User,     Some("1000000"), None;
    Deployments     "deployments"       "MEDSEAL_DEPLOYMENTS"     Anywhere, Some("deployments"), Some(|f| &f.deployments);
    Keystore        "keystore"          "ETH_KEYSTORE"            Anywhere, None, Some(|f| &f.keystore);
    PasswordFile    "password_file"     "ETH_PASSWORD"            Anywhere, None, Some(|f| &f.password_file);
    DevAccount      "dev_account"       "MEDSEAL_DEV_ACCOUNT"     Anywhere, None, Some(|f| &f.dev_account);
    Kgc             "kgc_url"           "MEDSEAL_KGC"             Anywhere, None, Some(|f| &f.kgc_url);
    KgcCa           "kgc_ca"            "MEDSEAL_KGC_CA"          User,     None, Some(|f| &f.kgc_ca);
    KgcPasswordFile "kgc_password_file" "MEDSEAL_KGC_PASSWORD"    Anywhere, None, Some(|f| &f.kgc_password_file);
    IpfsApi         "ipfs_api"          "IPFS_API"                Anywhere, None, Some(|f| &f.ipfs_api);
    IpfsTokenFile   "ipfs_token_file"   "MEDSEAL_IPFS_TOKEN_FILE" User,     None, Some(|f| &f.ipfs_token_file);
    Replicas        "replicas"          "MEDSEAL_REPLICAS"        Anywhere, None, Some(|f| &f.replicas);
    Anvil           "anvil"             "MEDSEAL_ANVIL"           User,     None, Some(|f| &f.anvil);
    OnnxRuntime     "onnx_runtime"      "MEDSEAL_ONNX_RUNTIME"    User,     None, Some(|f| &f.onnx_runtime);
    Model           "model"             "MEDSEAL_MODEL"           User,     None, Some(|f| &f.model);
    Models          "models"            "MEDSEAL_MODELS"          User,     None, None;
}
