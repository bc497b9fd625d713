"""Calls of HfFileSystem."""

from __future__ import annotations

from .call import Call, both

PATHS = [
    *("acme/model", "acme/model/config.json", "acme/model/sub", "acme/model/sub/deep/inner.txt", "acme/model/missing"),
    *(
        "acme/model/nothing/",
        "acme/nothing",
        "acme/nothing/x",
        "acme/model@v1/config.json",
        "acme/model@nope/config.json",
    ),
    *(
        "hf://acme/model/config.json",
        "datasets/acme/rows",
        "datasets/acme/rows/data/train.csv",
        "spaces/acme/app/app.py",
    ),
    *(
        "acme/model@refs/pr/1/config.json",
        "acme/model@refs%2Fpr%2F1/config.json",
        "acme/secret",
        "acme/old/config.json",
    ),
    *("acme", "", "/", "nonsense", "acme/model/../x", "acme/model/./config.json", "acme/model/sub//a.json"),
]


def filesystem_calls() -> list[Call]:
    made = []
    for path in map(repr, PATHS):
        made += [f"fs.{name}({path})" for name in ("ls", "info", "exists", "isfile", "isdir", "glob")]
        made += [f"read(fs.open({path}))", f"fs.get_file({path}, 'got')", f"fs.cat_file({path})"]
    path = "'acme/model'"
    made += [
        *(f"fs.ls({path}, detail=False)", f"fs.ls({path}, recursive=True)", f"fs.ls({path}, refresh=True)"),
        *(f"fs.ls({path}, revision='v1')", f"fs.ls({path}, revision='nope')", f"fs.ls({path}, expand_info=False)"),
        *(f"fs.find({path})", f"fs.walk({path})", f"fs.glob({path} + '/*.json')", f"fs.glob({path} + '/**')"),
        *(f"fs.glob({path} + '/**/*.txt')", f"fs.glob({path} + '/*', maxdepth=1)", f"fs.ls({path}, nope=1)"),
        *(f"fs.info({path} + '/config.json', revision='v1')", f"fs.exists({path} + '/config.json', revision='nope')"),
        f"read(fs.open({path} + '/config.json', 'r'))",
        f"read(fs.open({path} + '/config.json', block_size=0))",
        f"read(fs.open({path} + '/config.json', revision='v1'))",
        f"read(fs.open({path} + '/config.json', 'nonsense'))",
        f"ranged(fs.open({path} + '/model.safetensors'))",
        f"ranged(fs.open({path} + '/model.safetensors', block_size=100))",
        f"fs.get_file({path} + '/config.json', 'a/b/got')",
        *(f"fs.get_file({path} + '/config.json', './got', {what})" for what in ("None", "callback=None", "callback=7")),
        f"fs.get_file({path} + '/sub', 'got')",
        f"fs.get_file({path} + '/config.json', 'got', revision='v1')",
        f"fs.get_file({path} + '/config.json', open('got', 'wb'))",
        f"fs.get({path} + '/sub/', 'got/', recursive=True)",
        f"fs.cat_file({path} + '/model.safetensors', start=10, end=20)",
        f"fs.resolve_path({path})",
        f"fs.url({path} + '/config.json')",
        "hh.HfFileSystem(token='hf_alice').ls('acme/secret')",
        "hh.HfFileSystem(endpoint=OTHER).ls('acme/model', detail=False)",
        "hh.HfFileSystem(endpoint=OTHER).cat_file('acme/model/config.json')",
        "fsspec.open('hf://acme/model/config.json').open().read()",
        "fs.open()",
        "fs.ls()",
        *(f"fs.{name}({value})" for name in ("ls", "info", "exists", "glob") for value in ("None", "7", "[]", "b'x'")),
    ]
    offline = [f"fs.{name}('acme/model')" for name in ("ls", "info", "exists")]
    offline += ["read(fs.open('acme/model/config.json'))", "fs.get_file('acme/model/config.json', 'got')"]
    return both(made) + both(offline, offline=True)
