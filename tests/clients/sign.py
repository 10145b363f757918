"""Signs typed data as a wallet app does, with eth-account alone:  python tests/clients/sign.py FILE PRIVATE-KEY  prints the signature."""

import json
import sys

from eth_account import Account

with open(sys.argv[1], encoding="utf-8") as file:
    typed = json.load(file)
print("0x" + Account.sign_typed_data(sys.argv[2], full_message=typed).signature.hex().removeprefix("0x"))
