"""Python imports this first where this folder is on its path.

With EXCHANGE_URL, ccxt's bitbank asks that server; with GATE_SOCKET, writes wait for who listens there.
"""

import importlib.abc
import importlib.util
import os
import sys

MODULE = "ccxt.async_support.bitbank"


class Redirect(importlib.abc.MetaPathFinder):
    """Finds that one module, once, and gives it another address."""

    def find_spec(self, name, path=None, target=None):  # noqa: ARG002 - as importlib calls it
        """Return the module's own spec, which loads it and then changes the address."""
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_redirect(module):
            load(module)
            describe = module.bitbank.describe

            def redirected(client):
                described = describe(client)
                described["urls"]["api"] = dict.fromkeys(described["urls"]["api"], os.environ["EXCHANGE_URL"])
                return described | {"rateLimit": 1}

            module.bitbank.describe = redirected

        spec.loader.exec_module = load_and_redirect
        return spec


if "EXCHANGE_URL" in os.environ:
    sys.meta_path.insert(0, Redirect())
if "GATE_SOCKET" in os.environ:
    from write_gate import join

    join(os.environ["GATE_SOCKET"])
