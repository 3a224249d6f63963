"""The record of a release: what is needed to defend its numbers years later, in one archive that its statement signs.

Belongs here: contracts, policy, policy map, feeds and lineage of the day, the SQL that was run, and, for whoever is
handed a pack, its README, the index of principles and the verifier. Does not belong here: data of parties.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from pipelines.audit.evidence import Evidence
from pipelines.contracts.files import contract_files
from pipelines.contracts.load import Catalog
from pipelines.lineage.compiled import compiled_models, lineage_of
from pipelines.lineage.graph import Lineage
from pipelines.lineage.purpose import published
from pipelines.lineage.trace import Origin
from pipelines.release.principles import index, index_page
from pipelines.release.verifier.archive import write_archive
from pipelines.release.verifier.pack import INDEX, INSIDE
from pipelines.release.verifier.signed import encoded
from pipelines.settings import PROJECT, Home

_FEEDS = "feeds"
_VERIFIER = Path(__file__).with_name("verifier")
_START = '''"""Say whether this pack is what the bank signed. It needs Python 3.9 and no more."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from verifier.command import main

sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent))
'''


def record(catalog: Catalog, home: Home, release_id: str, manifest: dict[str, Any], evidence: Evidence) -> bytes:
    """The archive. The same contracts, build and evidence give the same bytes in every home."""
    told = index(evidence)
    files = {
        "README.md": _readme(release_id, manifest).encode(),
        "BCBS239.md": index_page(told).encode(),
        INDEX: encoded(told),
        "verify.py": _START.encode(),
        **{f"verifier/{path.name}": path.read_bytes() for path in _VERIFIER.glob("*.py")},
        **_contracts(catalog.root, manifest["bank"], catalog.bank(manifest["bank"]).extends),
        **_lineage(catalog, home),
    }
    archive = io.BytesIO()
    write_archive(archive, ((name, len(content), [content]) for name, content in sorted(files.items())))
    return archive.getvalue()


def _contracts(root: Path, *banks: str | None) -> dict[str, bytes]:
    """Every file of data contracts, but for feeds of other banks."""
    files = {path.relative_to(root): path.read_bytes() for path in contract_files(root)}
    return {
        f"{INSIDE}data_contracts/{path.as_posix()}": content
        for path, content in files.items()
        if path.parts[0] != _FEEDS or path.parts[1] in banks
    }


def _lineage(catalog: Catalog, home: Home) -> dict[str, bytes]:
    """The SQL of every model as it was run, and what each column of it, and each published one, is made from directly.

    Of a home in which dbt built nothing, lineage says so.
    """
    name = f"{INSIDE}lineage.json"
    if not (home.dbt / "target").is_dir():
        return {name: encoded({"built": False, "models": {}, "products": {}}), f"{INSIDE}sql/none": b""}
    lineage, here = lineage_of(catalog, home), str(home.path)
    sql = {
        f"{INSIDE}sql/{model}.sql": text.replace(here, "{home}").replace(str(PROJECT), "{project}").encode()
        for model, text in compiled_models(home.dbt / "target").items()
    }
    models = {
        model: {
            "columns": {column: _named(lineage, origins) for column, origins in sorted(trace.columns.items())},
            "rows": _named(lineage, trace.rows),
        }
        for model, trace in sorted(lineage.traces.items())
    }
    products = {
        product.id: {column: _named(lineage, origins) for column, origins in published(catalog, product).items()}
        for product in catalog.products.values()
    }
    return {name: encoded({"built": True, "models": models, "products": products}), **sql}


def _named(lineage: Lineage, origins: frozenset[Origin]) -> list[str]:
    """Columns by the contract of what was delivered or written by a Python step, or else by the model, with a space."""
    contracts = lineage.contracts
    return sorted(f"{contracts[o.table].id if o.table in contracts else o.table} {o.column}" for o in origins)


def _readme(release_id: str, manifest: dict[str, Any]) -> str:
    return f"""# Release {release_id}

What bank `{manifest["bank"]}` published for the business date {manifest["business_date"]}, and what defends its
numbers. The content has the hash `{manifest["content_hash"]}`.

## Verify it

    python verify.py --key FINGERPRINT

here, or `python verify.py PACK.tar --key FINGERPRINT` over the archive. It needs Python 3.9 or later, nothing else and
no network, and ends with 0 where everything fits, with 1 where something does not. Ask the bank for the fingerprint of
its key on another way than the one on which you got this pack: anybody can sign with a key of his own.

Whoever does not trust the program that came with what it verifies takes it from another pack or from the platform's
source (`pipelines/release/verifier`), or asks any tool for Ed25519 with `public_key.pem`: `signature.json` holds the
signature of the bytes of `statement.json`, which names all else by SHA-256.

## What is here

| file | what |
|---|---|
| `statement.json` | what is signed: id, key, hashes of manifest, evidence, run, record, and of the one before |
| `signature.json`, `public_key.pem` | signature of the statement, and the key that made it |
| `manifest.json` | every published file with rows and hash; every delivery, contract, policy and program behind it |
| `evidence.json` | every check with what it found; keys of failing rows are pseudonyms |
| `run.json` | when and by which run it was published; which state of who is who it followed on |
| `BCBS239.md`, `{INDEX}` | which gate and which file answers which principle of BCBS 239 |
| `record.tar` | contracts, feeds, policy, policy map and SQL of that day; `tar xf record.tar` unpacks it |
| `record/lineage.json` | what each published column and each column of a model is made from |
| `proof/rules.json` | policy and legal bases of that day, and what each product needs of a party |
| `shared/coverage.parquet` | what was delivered of what, and what was carried or missing |
| `shared/reconciliation.parquet` | counts and sums from delivery to mart |
| the other files of the manifest | published rows, under pseudonyms: only where the pack was asked to hold them |
"""
