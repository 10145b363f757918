"""Section 8: what a wallet signs to ask a KGC, as EIP-712 digests."""

from .primitives import abi_bytes32_array, abi_word, keccak256

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_FIELDS = (
    "bytes32 kgcSetHash,bytes32 imageId,bytes32 recipientPublicKey,bytes32 challengesHash,uint64 issuedAt,uint64 deadline)"
)
ISSUE_TYPE = "IssueRequest(address sender," + _FIELDS
KEY_TYPE = "KeyRequest(address requester," + _FIELDS
RECEIPT_TYPE = (
    "KeyReceipt(bytes32 requestDigest,bytes32 imageId,address wallet,uint8 decision,string reason,"
    "uint64 blockNumber,bytes32 blockHash,uint64 time,bytes32 kgcId,bytes32 logId,uint64 logSeq,"
    "bytes32 logHead,bytes32 answerHash)"
)


def array_hash(items):
    """keccak256(abi.encode(bytes32[]))."""
    return keccak256(abi_bytes32_array(items))


def challenges_hash(challenges):
    """Of the hash of each challenge: a KGC sees no challenge but its own."""
    return array_hash([keccak256(challenge) for challenge in challenges])


def log_id(kgc_id, instance):
    """The name on chain of an instance's log."""
    return keccak256(b"medseal/v1/release-log" + kgc_id + instance.encode())


def log_heads(lines):
    """The head after each line."""
    head, heads = bytes(32), []
    for line in lines:
        head = keccak256(head + keccak256(line))
        heads.append(head)
    return heads


def domain_separator(chain_id, registry):
    """Of the domain `MedSeal`, version `1`."""
    words = (keccak256(DOMAIN_TYPE.encode()), keccak256(b"MedSeal"), keccak256(b"1"), chain_id, registry)
    return keccak256(b"".join(abi_word(word) for word in words))


def struct_hash(type_string, values):
    """Of a struct whose members are all one word."""
    words = (keccak256(type_string.encode()), *values)
    return keccak256(b"".join(abi_word(word) for word in words))


def digest(separator, hashed):
    """What is signed."""
    return keccak256(b"\x19\x01" + separator + hashed)
