"""Orders of importing, activating, applying, restoring, disabling and of blocks; each in an interpreter of its own.

After each order some loads are made, and for each is looked at where the files went: to our store, or to the Hugging
Face cache as in plain transformers.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.lines

PRELUDE = """
import asyncio, concurrent.futures, contextvars, os, shutil, sys, threading
NAME = "tiny/bert"
STORE, CACHE = os.environ["IPFS_ACCELERATE_HOME"], os.path.join(os.environ["HF_HOME"], "hub")
def went(load):
    for folder in (STORE, CACHE):
        shutil.rmtree(folder, ignore_errors=True)
    assert load(NAME).model_type == "bert"
    ours, plain = (os.path.isdir(os.path.join(folder, "models--tiny--bert")) for folder in (STORE, CACHE))
    return {(True, False): "ours", (False, True): "plain"}.get((ours, plain), f"ours {ours}, plain {plain}")
def note(load=None):
    if load is None:
        import transformers
        load = transformers.AutoConfig.from_pretrained
    print(went(load), flush=True)
"""

IMPORT = "import transformers"
KEEP_CLASS = "from transformers import AutoConfig as Kept, BertConfig as Concrete"
KEEP_METHOD = "kept, concrete = Kept.from_pretrained, Concrete.from_pretrained"
ACTIVATE = "import ipfs_accelerate_py"
MODULE = "from ipfs_accelerate_py import auto_patch_transformers as by_hand, distributed_models"
BLOCK = "with distributed_models():\n    note()"
ALL = "note(); note(Kept.from_pretrained); note(Concrete.from_pretrained)"

# what is done, and where each load then goes
ORDERS = {
    "nothing of ours": ([IMPORT, "note()"], "plain"),
    "activate, import": ([ACTIVATE, IMPORT, "note()"], "ours"),
    "import, activate": ([IMPORT, ACTIVATE, "note()"], "ours"),
    "class, activate": ([KEEP_CLASS, ACTIVATE, ALL], "ours ours ours"),
    "class, method, activate": ([KEEP_CLASS, KEEP_METHOD, ACTIVATE, ALL, "note(kept); note(concrete)"], "ours " * 5),
    "activate, class, method": ([ACTIVATE, KEEP_CLASS, KEEP_METHOD, ALL, "note(kept); note(concrete)"], "ours " * 5),
    "activate, restore, import": ([ACTIVATE, MODULE, "by_hand.restore()", IMPORT, "note()"], "plain"),
    "activate, import, restore": ([ACTIVATE, MODULE, IMPORT, "note()", "by_hand.restore()", "note()"], "ours plain"),
    "kept proxy and method after restore": (
        [ACTIVATE, MODULE, KEEP_CLASS, KEEP_METHOD, "by_hand.restore()", ALL, "note(kept); note(concrete)"],
        "plain " * 5,
    ),
    "restore, apply": (
        [
            ACTIVATE,
            MODULE,
            KEEP_CLASS,
            KEEP_METHOD,
            "by_hand.restore(); by_hand.apply()",
            ALL,
            "note(kept); note(concrete)",
        ],
        "ours " * 5,
    ),
    "apply twice, restore once": (
        [MODULE, IMPORT, "by_hand.apply(); by_hand.apply(); by_hand.restore()", "note()"],
        "plain",
    ),
    "restore twice, apply once": (
        [MODULE, IMPORT, "by_hand.restore(); by_hand.restore(); by_hand.apply()", "note()"],
        "ours",
    ),
    "disable, import": ([MODULE, "by_hand.disable()", IMPORT, "note()"], "plain"),
    "disable, activate by import": (
        [
            MODULE,
            "by_hand.disable()",
            IMPORT,
            "import importlib; importlib.reload(sys.modules['ipfs_accelerate_py'])",
            "note()",
        ],
        "plain",
    ),
    "disable, apply": ([MODULE, IMPORT, "by_hand.disable(); by_hand.apply()", "note()"], "ours"),
    "disable, block": ([MODULE, IMPORT, "by_hand.disable()", "note()", BLOCK, "note()"], "plain ours plain"),
    "restore, block": ([MODULE, "by_hand.restore()", BLOCK, "note()"], "ours plain"),
    "block off inside active": (
        [MODULE, "note()", "with distributed_models(enabled=False):\n    note()", "note()"],
        "ours plain ours",
    ),
    "blocks nested": (
        [
            MODULE,
            "by_hand.disable()",
            "with distributed_models():\n"
            "    with distributed_models(enabled=False):\n"
            "        with distributed_models():\n            note()\n"
            "        note()\n"
            "    note()",
            "note()",
        ],
        "ours plain ours plain",
    ),
    "block left by an exception": (
        [
            MODULE,
            "by_hand.disable()",
            "try:\n    with distributed_models():\n        note()\n        raise KeyError",
            "except KeyError:\n    note()",
        ],
        "ours plain",
    ),
    "restore inside a block": (
        [MODULE, "with distributed_models():\n    note()\n    by_hand.restore()\n    note()", "note()"],
        "ours plain plain",
    ),
    "apply inside a block": (
        [MODULE, "by_hand.disable()", "with distributed_models():\n    by_hand.apply()\n    note()", "note()"],
        "ours ours",
    ),
    "a thread started inside a block is outside": (
        [
            MODULE,
            "by_hand.disable()",
            "with distributed_models():\n    t = threading.Thread(target=note); t.start(); t.join()",
        ],
        "plain",
    ),
    "a block in another thread": (
        [
            MODULE,
            "by_hand.disable()",
            "def work():\n    with distributed_models():\n        note()",
            "t = threading.Thread(target=work); t.start(); t.join()",
            "note()",
        ],
        "ours plain",
    ),
    "executor, with and without the context": (
        [
            MODULE,
            "by_hand.disable()",
            "pool = concurrent.futures.ThreadPoolExecutor()",
            "with distributed_models():\n"
            "    pool.submit(note).result()\n"
            "    pool.submit(contextvars.copy_context().run, note).result()",
        ],
        "plain ours",
    ),
    "async tasks": (
        [
            MODULE,
            "by_hand.disable()",
            "async def child():\n    note()",
            "async def main():\n"
            "    with distributed_models():\n"
            "        await asyncio.to_thread(note)\n"
            "        task = asyncio.create_task(child())\n"
            "    await task\n"
            "    await child()",
            "asyncio.run(main())",
        ],
        "ours ours plain",
    ),
    "activated in a thread": (
        [
            IMPORT,
            "t = threading.Thread(target=__import__, args=('ipfs_accelerate_py',)); t.start(); t.join()",
            "note()",
        ],
        "ours",
    ),
    "modules reloaded": (
        [
            ACTIVATE,
            IMPORT,
            "note()",
            "import importlib; importlib.reload(sys.modules['transformers.models.auto.configuration_auto'])",
            "note(sys.modules['transformers.models.auto.configuration_auto'].AutoConfig.from_pretrained)",
        ],
        "ours ours",
    ),
    "import cache cleared": (
        [
            ACTIVATE,
            IMPORT,
            "note()",
            "transformers.utils.import_utils.clear_import_cache()",
            "import transformers",
            "note()",
        ],
        "ours ours",
    ),
}


@pytest.mark.parametrize("order", ORDERS)
def test_order(order, machine, tiny_hub):
    steps, expected = ORDERS[order]
    user = machine("user", hub=tiny_hub, IPFS_ACCELERATE_SHARE="off")  # else a load of ours is in both
    done = user.run("\n".join([PRELUDE, *steps]), hooked=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == expected.split()
