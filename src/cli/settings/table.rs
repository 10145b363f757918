//! The table of settings: how each is named in `medseal.toml`, in the environment and as a flag,
//! and its default.

use super::Flags;

/// What is known of a setting.
pub(in crate::cli) struct Row {
    /// Its name in `medseal.toml`.
    pub(in crate::cli) name: &'static str,
    /// Its environment variable, which may stand in `.env` too.
    pub(in crate::cli) variable: &'static str,
    /// Its value where nothing sets it.
    pub(super) default: Option<&'static str>,
    /// Its value on the command line; none for a setting that is no flag.
    pub(super) flag: Option<fn(&Flags) -> &Option<String>>,
}

/// Makes [`Setting`] of the table's rows.
macro_rules! settings {
    ($($setting:ident $name:literal $variable:literal $default:expr, $flag:expr;)+) => {
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
                    $(Self::$setting => Row { name: $name, variable: $variable, default: $default, flag: $flag },)+
                }
            }
        }
    };
}

settings! {
    Home            "home"              "MEDSEAL_HOME"            Some(".medseal"), Some(|f| &f.home);
    Actor           "actor"             "MEDSEAL_ACTOR"           None, Some(|f| &f.actor);
    RpcUrl          "rpc_url"           "ETH_RPC_URL"             Some("http://127.0.0.1:8545"), Some(|f| &f.rpc_url);
    ChainId         "chain_id"          "MEDSEAL_CHAIN_ID"        None, Some(|f| &f.chain_id);
    Profile         "profile"           "MEDSEAL_PROFILE"         None, Some(|f| &f.profile);
    BlockTime       "block_time"        "MEDSEAL_BLOCK_TIME"      None, None;
    ReadTime        "read_time"       "MEDSEAL_READ_TIME"       None, None;
    Wait            "wait"              "MEDSEAL_WAIT"            None, Some(|f| &f.wait);
    Deployments     "deployments"       "MEDSEAL_DEPLOYMENTS"     Some("deployments"), Some(|f| &f.deployments);
    Keystore        "keystore"          "ETH_KEYSTORE"            None, Some(|f| &f.keystore);
    PasswordFile    "password_file"     "ETH_PASSWORD"            None, Some(|f| &f.password_file);
    DevAccount      "dev_account"       "MEDSEAL_DEV_ACCOUNT"     None, Some(|f| &f.dev_account);
    KgcPasswordFile "kgc_password_file" "MEDSEAL_KGC_PASSWORD"    None, Some(|f| &f.kgc_password_file);
    IpfsApi         "ipfs_api"          "IPFS_API"                None, Some(|f| &f.ipfs_api);
    IpfsTokenFile   "ipfs_token_file"   "MEDSEAL_IPFS_TOKEN_FILE" None, Some(|f| &f.ipfs_token_file);
    Replicas        "replicas"          "MEDSEAL_REPLICAS"        None, Some(|f| &f.replicas);
    Anvil           "anvil"             "MEDSEAL_ANVIL"           None, Some(|f| &f.anvil);
    OnnxRuntime     "onnx_runtime"      "MEDSEAL_ONNX_RUNTIME"    None, Some(|f| &f.onnx_runtime);
    Model           "model"             "MEDSEAL_MODEL"           None, Some(|f| &f.model);
    Models          "models"            "MEDSEAL_MODELS"          None, None;
}
