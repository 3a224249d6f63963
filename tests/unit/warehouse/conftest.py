"""A dbt project of two models in a home of its own, small enough to be built in each test that needs it."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.settings import Settings
from pipelines.warehouse.run import Dbt

DAY, NEXT_DAY = date(2024, 1, 1), date(2024, 1, 2)

_FILES = {
    "dbt_project.yml": """
        name: zhongtai
        profile: zhongtai
        models:
          zhongtai:
            +materialized: table
            intermediate: {+schema: intermediate, +meta: {owner: data-platform}}
            marts: {+schema: marts}
        """,
    "profiles.yml": """
        zhongtai:
          target: home
          outputs:
            home:
              type: duckdb
              path: "{{ env_var('ZHONGTAI_HOME') }}/warehouse/warehouse.duckdb"
              threads: 2
              config_options: {memory_limit: "{{ env_var('ZHONGTAI_MEMORY_LIMIT') }}"}
        """,
    "macros/generate_schema_name.sql": """
        {% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}
        {% macro run_to() %}date '{{ env_var('ZHONGTAI_TO') if execute }}'{% endmacro %}
        """,
    "models/sources.yml": """
        sources:
          - name: core
            tables:
              - name: party
                config: {meta: {external_location: "read_parquet('{{ env_var('ZHONGTAI_HOME') }}/party.parquet')"}}
                columns:
                  - name: party_id
                    data_tests: [not_null]
          - name: identity
            tables:
              - name: party_crosswalk
                config: {meta: {external_location: "read_parquet('{{ env_var('ZHONGTAI_HOME') }}/party.parquet')"}}
        """,
    "models/intermediate/int_processed_date.sql": """
        select {{ run_to() }} as business_date, 'digest' as digest, count(*) as parties
        from {{ source('core', 'party') }}
        """,
    "models/marts/customer/customer_360.sql": """
        select party_id, business_date
        from {{ source('identity', 'party_crosswalk') }} cross join {{ ref('int_processed_date') }}
        """,
    "tests/few_parties.sql": """
        {{ config(severity='warn') }} select * from {{ ref('customer_360') }}
        """,
    "models/marts/customer/customer_360.yml": """
        models:
          - name: customer_360
            description: One row that unites what the bank knows of a party.
            config: {meta: {owner: customer-analytics, grain: One row per party., key: [party_id]}}
            columns:
              - {name: party_id, data_type: bigint, description: Who., data_tests: [unique]}
        """,
}


@pytest.fixture
def dbt(tmp_path: Path) -> Dbt:
    """dbt over the small project, in a home that has seen no run."""
    running = small_dbt(tmp_path)
    yield running
    running.close()


def small_dbt(place: Path) -> Dbt:
    """The small project and a home whose lake holds three parties."""
    project, home = place / "project", place / "home"
    for name, text in _FILES.items():
        write(project / name, text)
    home.mkdir()
    land(home, "values (1), (2), (3)")
    return Dbt(Settings(home_dir=home), project)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(line.removeprefix("        ") for line in text.strip("\n").splitlines()) + "\n")


def land(home: Path, values: str) -> None:
    duckdb.sql(f"copy (select * from ({values}) as party(party_id)) to '{home}/party.parquet' (format parquet)")
