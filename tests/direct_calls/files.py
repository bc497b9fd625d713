"""Calls of the functions that bring files: hf_hub_download, snapshot_download, and the readers of the cache."""

from __future__ import annotations

from .call import Call, both, write

FILE = {"repo_id": "'acme/model'", "filename": "'config.json'"}
REPO = {"repo_id": "'acme/model'"}
REPO_IDS = [
    *("'acme/nothing'", "'acme/old'", "'a/b/c'", "'acme/../model'", "'-acme/model'", "'acme--x/model'", "'model'"),
    *("'acme/model.git'", "'acme/mo del'", "'acme/model/'", "'/acme/model'", "'./acme'", "'datasets/acme/rows'"),
    *("'acme\\\\model'", "'ACME/model'", "'x' * 97", "'acme/secret'", "'acme/gated'", "'acme/empty'"),
]
REVISIONS = [
    *("'main'", "'dev'", "'v1'", "COMMIT", "OLD", "SHORT", "'refs/pr/1'", "'refs/heads/main'", "'nope'", "'HEAD'"),
    *("'0' * 40", "'../main'", "'a b'", "'refs%2Fpr%2F1'", "COMMIT.upper()", "'main\\n'"),
]
FILENAMES = [
    *("'sub/a.json'", "'sub/deep/inner.txt'", "'model.safetensors'", "'ünï code.txt'", "'empty.txt'", "'missing.json'"),
    *("'sub/missing.json'", "'./config.json'", "'../x'", "'../../x'", "'sub/../config.json'", "'/config.json'"),
    *("'sub//a.json'", "'sub\\\\a.json'", "'..\\\\x'", "'.'", "'..'", "'sub'", "'sub/'", "'config.json/'", "'x' * 300"),
    *("'a\\0b'", "'config.json?x=1'", "'config.json#x'", "'%2e%2e/x'", "'CONFIG.JSON'", "' config.json'"),
]
REPO_TYPES = ["'model'", "'dataset'", "'space'", "'kernel'", "'models'", "'nonsense'", "'Dataset'"]
TOKENS = ["True", "False", "None", "'hf_alice'", "'hf_wrong'"]
ENDPOINTS = ["EP", "EP + '/'", "OTHER", "'nonsense'", "None"]
PLACES = [
    *({"local_dir": "'out'"}, {"local_dir": "Path('out')"}, {"local_dir": "'a/b/c'"}, {"local_dir": "'.'"}),
    *({"cache_dir": "'own'"}, {"cache_dir": "Path('own')"}, {"cache_dir": "'own'", "local_dir": "'out'"}),
]
DATASET = {"repo_id": "'acme/rows'", "repo_type": "'dataset'"}
SPACE = {"repo_id": "'acme/app'", "repo_type": "'space'"}
OPTIONS = [
    *({"library_name": "'me'", "library_version": "'1'"}, {"user_agent": "{'a': 'b'}"}, {"user_agent": "'me/1'"}),
    *({"headers": "{'x-own': 'y'}"}, {"etag_timeout": "5"}, {"force_download": "True"}, {"local_files_only": "True"}),
    *({"dry_run": "True"}, {"tqdm_class": "Quiet"}, {"tqdm_class": "Loud"}, {"nope": "1"}, {"proxies": "{}"}),
    *({"resume_download": "True"}, {"local_dir_use_symlinks": "False"}, {"force_filename": "'x'"}),
]


def file_calls() -> list[Call]:
    """hf_hub_download, and the same as a method."""
    changes = [{}, *({"filename": name} for name in FILENAMES)]
    changes += [{"repo_id": name} for name in REPO_IDS]
    changes += [{"revision": revision} for revision in REVISIONS]
    changes += [{"revision": revision, "filename": "'missing.json'"} for revision in ("'dev'", "COMMIT", "'nope'")]
    changes += [{"repo_type": kind} for kind in REPO_TYPES]
    changes += [{**DATASET, "filename": "'data/train.csv'"}, {**SPACE, "filename": "'app.py'"}]
    changes += [{**DATASET, "filename": "'missing'"}, {**SPACE, "filename": "'missing'"}]
    changes += [
        {"subfolder": folder, "filename": name}
        for folder in ("'sub'", "'sub/'", "'.'", "'./sub'", "'..'", "'sub/deep'", "'nothing'")
        for name in ("'a.json'", "'config.json'")
    ]
    changes += [
        {"repo_id": repo_id, "token": token}
        for repo_id in ("'acme/model'", "'acme/secret'", "'acme/gated'", "'acme/nothing'")
        for token in TOKENS
    ]
    changes += [{"endpoint": endpoint} for endpoint in ENDPOINTS]
    changes += OPTIONS
    missing = ({}, {"filename": "'missing.json'"}, {"revision": "'nope'"}, {"repo_id": "'acme/nothing'"})
    for option in ({"local_files_only": "True"}, {"dry_run": "True"}, {"force_download": "True"}, *PLACES):
        changes += [{**what, **option} for what in (*missing, {"filename": "'sub/a.json'"}, {"revision": "COMMIT"})]
    changes += [{**PLACES[0], "local_files_only": "True"}, {**PLACES[0], "force_download": "True"}]
    changes += [{**PLACES[0], "dry_run": "True"}, {**PLACES[4], "local_files_only": "True"}]
    changes += [{**PLACES[0], **DATASET, "filename": "'data/train.csv'"}, {**PLACES[0], "filename": "'../x'"}]
    made = both([write("hf_hub_download", FILE, change) for change in changes])
    made += both(
        [
            *("hf_hub_download()", "hf_hub_download('acme/model')", "hf_hub_download('acme/model', 'config.json')"),
            *(
                "hf_hub_download('acme/model', 'config.json', 'sub')",
                "hf_hub_download(Path('acme/model'), 'config.json')",
            ),
            *("hf_hub_download('acme/model', Path('config.json'))", "hf_hub_download(*'abcdefghijklmnopqrstuvwxyz')"),
            "[hf_hub_download('acme/model', 'config.json', local_dir='out') for _ in 'ab']",
            "edited(hf_hub_download('acme/model', 'config.json', local_dir='out')) and "
            "hf_hub_download('acme/model', 'config.json', local_dir='out')",
            "[hf_hub_download('acme/model', 'config.json', revision=each, local_dir='out') for each in ('main', 'v1')]",
            "[hf_hub_download('acme/model', 'config.json', revision=each) for each in ('main', 'v1', 'main')]",
            "hh.file_download.hf_hub_download('acme/model', 'config.json')",
            "api.hf_hub_download('acme/model', 'config.json')",
            "api.hf_hub_download('acme/model', 'missing.json')",
            "hh.HfApi(endpoint=OTHER).hf_hub_download('acme/model', 'config.json')",
            "hh.HfApi(token='hf_alice').hf_hub_download('acme/secret', 'config.json')",
            "hh.HfApi(token='hf_wrong').hf_hub_download('acme/model', 'config.json')",
        ]
    )
    offline = [{}, {"filename": "'missing.json'"}, {"revision": "COMMIT"}, {"revision": "'nope'"}, PLACES[0], PLACES[4]]
    offline += [{"force_download": "True"}, {"repo_id": "'acme/nothing'"}, {"dry_run": "True"}]
    return made + both([write("hf_hub_download", FILE, change) for change in offline], offline=True)


def snapshot_calls() -> list[Call]:
    """snapshot_download, and the same as a method."""
    patterns = ["'*.json'", "['*.json']", "[]", "'nothing*'", "'sub/'", "'sub/*'", "('*.json', '*.txt')", "'*'", "['']"]
    changes = [{}, *({"allow_patterns": each} for each in patterns), *({"ignore_patterns": each} for each in patterns)]
    changes += [{"allow_patterns": "'*.json'", "ignore_patterns": "'sub/*'"}, {"allow_patterns": "'../*'"}]
    changes += [{"repo_id": name} for name in REPO_IDS]
    changes += [{"revision": revision} for revision in REVISIONS]
    changes += [{"repo_type": kind} for kind in REPO_TYPES]
    changes += [DATASET, SPACE, {**DATASET, "ignore_patterns": "['*']"}]
    changes += [{"endpoint": endpoint} for endpoint in ENDPOINTS]
    changes += [{"repo_id": name, "token": each} for name in ("'acme/secret'", "'acme/gated'") for each in TOKENS]
    changes += [*OPTIONS, *({"max_workers": each} for each in ("1", "0", "-1"))]
    some = ({}, {"allow_patterns": "'*.json'"}, {"allow_patterns": "'nothing*'"}, {"revision": "'nope'"})
    for option in ({"local_files_only": "True"}, {"dry_run": "True"}, {"force_download": "True"}, *PLACES):
        changes += [{**what, **option} for what in (*some, {"revision": "COMMIT"}, {"repo_id": "'acme/nothing'"})]
    changes += [{**PLACES[0], "local_files_only": "True"}, {**PLACES[4], "local_files_only": "True"}]
    made = both([write("snapshot_download", REPO, change) for change in changes])
    made += both(
        [
            *(
                "snapshot_download()",
                "snapshot_download('acme/model')",
                "snapshot_download(*'abcdefghijklmnopqrstuvwx')",
            ),
            *("api.snapshot_download('acme/model')", "hh._snapshot_download.snapshot_download('acme/model')"),
            "[snapshot_download('acme/model', local_dir='out') for _ in 'ab']",
            "hh.HfApi(token='hf_alice').snapshot_download('acme/secret')",
        ]
    )
    offline = [{}, {"allow_patterns": "'*.json'"}, {"revision": "COMMIT"}, {"revision": "'nope'"}, PLACES[0]]
    return made + both([write("snapshot_download", REPO, change) for change in offline], offline=True)


def cache_calls() -> list[Call]:
    """try_to_load_from_cache, get_cached_repo_tree, and who else looks into the cache."""
    changes = [{}, *({"filename": name} for name in FILENAMES), *({"repo_id": name} for name in REPO_IDS)]
    changes += [{"revision": each} for each in REVISIONS] + [{"repo_type": each} for each in REPO_TYPES]
    changes += [{"cache_dir": "'own'"}, {**DATASET, "filename": "'data/train.csv'"}, {**SPACE, "filename": "'app.py'"}]
    made = both([write("try_to_load_from_cache", FILE, change) for change in changes])
    trees = [{}, *({"revision": each} for each in REVISIONS), DATASET, {"repo_id": "'acme/nothing'"}, *PLACES]
    made += both([write("get_cached_repo_tree", REPO, change) for change in trees])
    after = "hf_hub_download('acme/model', '{}', {}) and "
    return made + both(
        [
            "try_to_load_from_cache('acme/model')",
            after.format("config.json", "") + "try_to_load_from_cache('acme/model', 'config.json')",
            after.format("config.json", "") + "hf_hub_download('acme/model', 'config.json', local_files_only=True)",
            after.format("config.json", "revision=COMMIT") + "try_to_load_from_cache('acme/model', 'config.json')",
            "failing(lambda: hf_hub_download('acme/model', 'missing.json')) and "
            "try_to_load_from_cache('acme/model', 'missing.json')",
            "hh.scan_cache_dir()",
            "snapshot_download('acme/model') and hh.scan_cache_dir()",
        ]
    )
