"""All tables, in the order of the rules."""

from tests.answers.scene import Table
from tests.answers.tables import (
    section_02_names,
    section_03_apex,
    section_04_cluster_ip,
    section_04_external,
    section_04_headless,
    section_05_srv,
    section_06_ptr,
    section_07_pods,
    section_08_existence,
    section_09_filters,
    section_10_soa_ttl_case,
    section_11_fallthrough,
    section_11_multicluster,
    section_11_zonal,
    section_14_options,
    section_15_front,
)

TABLES: tuple[Table, ...] = (
    *section_02_names.TABLES,
    *section_03_apex.TABLES,
    *section_04_cluster_ip.TABLES,
    *section_04_headless.TABLES,
    *section_04_external.TABLES,
    *section_05_srv.TABLES,
    *section_06_ptr.TABLES,
    *section_07_pods.TABLES,
    *section_08_existence.TABLES,
    *section_09_filters.TABLES,
    *section_10_soa_ttl_case.TABLES,
    *section_11_fallthrough.TABLES,
    *section_11_multicluster.TABLES,
    *section_11_zonal.TABLES,
    *section_14_options.TABLES,
    *section_15_front.TABLES,
)
