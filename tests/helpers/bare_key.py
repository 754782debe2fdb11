"""The key file that polkadot-js exports without a password."""

import json

BARE = json.dumps(
    {
        "encoded": "MFMCAQEwBQYDK2VwBCIEIGFiYTJkZDFhMTJlZWFmZGEzZmRhNjJhYTZkZmEyMWNhzwQ+E9kijYqTHOTMWO+9Gt"
        "bF4vGTLDF06xUN+vkWW3OhIwMhAM8EPhPZIo2KkxzkzFjvvRrWxeLxkywxdOsVDfr5Fltz",
        "encoding": {"content": ["pkcs8", "ed25519"], "type": ["none"], "version": "3"},
        "address": "5Gk92fkWPUg6KNHSfP93UcPFhwGurM9RKAKU62Dg6upaCfH7",
        "meta": {},
    }
).encode()
