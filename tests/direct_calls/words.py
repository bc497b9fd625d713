"""Calls of the methods that give information about a repo: on HfApi, and the functions of the module."""

from __future__ import annotations

from .call import Call, both, write
from .files import DATASET, FILE, REPO, REPO_IDS, REPO_TYPES, REVISIONS, SPACE, TOKENS

METHODS: dict[str, dict[str, str]] = {
    "model_info": REPO,
    "dataset_info": {"repo_id": "'acme/rows'"},
    "space_info": {"repo_id": "'acme/app'"},
    "repo_info": REPO,
    "resolve_revision": REPO,
    "list_repo_files": REPO,
    "list_repo_tree": REPO,
    "get_paths_info": {**REPO, "paths": "['config.json', 'sub']"},
    "file_exists": FILE,
    "repo_exists": REPO,
    "revision_exists": {**REPO, "revision": "'main'"},
}
TAKES_KIND = ("repo_info", "resolve_revision", "list_repo_files", "list_repo_tree", "get_paths_info", "file_exists")
OF_A_COMMIT = ("list_repo_tree", "get_paths_info", "file_exists")
MORE: dict[str, list[dict[str, str]]] = {
    "model_info": [{"files_metadata": "True"}, {"expand": "['sha']"}, {"securityStatus": "True"}, {"timeout": "5"}],
    "dataset_info": [{"files_metadata": "True"}, {"expand": "['sha']"}, {"timeout": "5"}],
    "space_info": [{"files_metadata": "True"}, {"expand": "['sha']"}, {"timeout": "5"}],
    "repo_info": [{"files_metadata": "True"}, {"expand": "['sha']"}, {"timeout": "5"}],
    "resolve_revision": [{"local_files_only": "True"}, {"cache_dir": "'own'"}],
    "list_repo_tree": [
        *({"recursive": "True"}, {"expand": "True"}, {"path_in_repo": "'sub'"}, {"path_in_repo": "'nothing'"}),
        *({"path_in_repo": "'config.json'"}, {"path_in_repo": "'../x'"}, {"path_in_repo": "'sub/'"}),
        *({"path_in_repo": "'sub'", "recursive": "True"}, {"path_in_repo": "''"}),
    ],
    "get_paths_info": [
        *(
            {"paths": "'config.json'"},
            {"paths": "[]"},
            {"paths": "['missing']"},
            {"paths": "['config.json', 'missing']"},
        ),
        *({"paths": "['sub/']"}, {"paths": "['../x']"}, {"expand": "True"}, {"paths": "['model.safetensors']"}),
    ],
    "file_exists": [
        *({"filename": "'missing.json'"}, {"filename": "'sub/a.json'"}, {"filename": "'sub'"}, {"filename": "'../x'"}),
        *({"filename": "'./config.json'"}, {"filename": "''"}, {"filename": "'sub\\\\a.json'"}),
    ],
    "revision_exists": [{"revision": each} for each in REVISIONS],
}


def word_calls() -> list[Call]:
    expressions, offline, first = [], [], set()
    for name, base in METHODS.items():
        changes = [{}, *MORE.get(name, [])]
        if name in OF_A_COMMIT:
            changes += [{**change, "revision": "COMMIT"} for change in MORE[name]]
        changes += [{"repo_id": each} for each in REPO_IDS] + [{"token": each} for each in TOKENS]
        changes += [{"repo_id": "'acme/secret'", "token": each} for each in TOKENS]
        if name not in ("repo_exists", "revision_exists"):
            changes += [{"revision": each} for each in REVISIONS]
        if name in (*TAKES_KIND, "repo_exists", "revision_exists"):
            changes += [{"repo_type": each} for each in REPO_TYPES]
            changes += [DATASET, SPACE]
        expressions += [write(f"api.{name}", base, change) for change in changes]
        few = [{}, {"repo_id": "'acme/nothing'"}, {"nope": "1"}]
        expressions += [write(f"hh.{name}", base, change) for change in few]
        expressions += [write(f"hh.HfApi(endpoint=OTHER).{name}", base), f"api.{name}()", f"hh.HfApi.{name}()"]
        expressions.append(write("hh.HfApi(token='hf_alice')." + name, {**base, "repo_id": "'acme/secret'"}))
        first |= {write(f"api.{name}", base, change) for change in [{}, *MORE.get(name, [])]}
        offline += [write(f"api.{name}", base), write(f"hh.{name}", base, {"repo_id": "'acme/nothing'"})]
    # what a Hub that is well says does not depend on the caches: the rest once
    told = [each for each in expressions if "resolve_revision" in each or each in first]
    rest = [Call(each) for each in dict.fromkeys(expressions) if each not in told]
    return both(told) + rest + both(offline, offline=True)
